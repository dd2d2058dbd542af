import Datasets
import LuaBridge

final class DatasetObject: LuaObject {
    let data: Dataset
    init(_ data: Dataset) { self.data = data }
}

extension ScriptHost {
    /// `dataset`: what `eoss.data` gives.
    func datasetClass() -> ObjectClass<DatasetObject> {
        let sets = ObjectClass<DatasetObject>("dataset", "Samples to train on and samples to test on; a value.")
        sets.property("name", .string, "What the data are called.") { $0.data.name }
        sets.property("inputs", .integer, "The number of elements of one input.") { $0.data.inputWidth }
        sets.property("outputs", .integer, "The width of a target: the number of classes.") { $0.data.outputs }
        sets.property("shape", .list(of: .integer), "The shape of one input.") { $0.data.inputShape }
        sets.property("target_shape", .list(of: .integer), "The shape of one target.") { $0.data.targetShape }
        sets.property(
            "vocabulary", .integer.orNil, "How many different tokens the inputs have; nil where they are no tokens."
        ) {
            $0.data.vocabulary
        }
        sets.property(
            "truth", .map(of: .object("array")), "What generated samples were made of: a teacher's weights, means."
        ) {
            LuaRecord($0.data.truth.mapValues { .object(ArrayObject($0)) }, called: "the truth of the data")
        }
        sets.property("n", .integer, "The number of training samples.") { $0.data.train.count }
        sets.property("test_n", .integer, "The number of test samples.") { $0.data.test?.count ?? 0 }
        sets.method(
            "describe", "The data in some lines: source, sizes, ranges, samples of each class.",
            results: [Parameter("text", .string, "For a person.")]
        ) { data, _ in data.data.describe() }
        sets.method(
            "arrays",
            "The samples as arrays, by the names of the options of eoss.data.arrays that take them: inputs, n × shape, with labels or targets, and test_inputs with theirs where there are test samples.",
            results: [Parameter("arrays", .map(of: .object("array")), "The arrays by their names.")]
        ) { data, _ in
            LuaValue.table(LuaTable(named: try data.data.arrays().mapValues { .object(ArrayObject($0)) }))
        }
        sets.method(
            "subset", "Some of the training samples, as they are; the test samples stay.",
            options: ScriptHost.selectionOptions + [ScriptHost.labelNoise, .seed], results: ScriptHost.dataset
        ) { data, call in
            let count = data.data.train.count
            if let outside = try call.get("indices", as: [Int]?.self)?.first(where: { $0 > count }) {
                throw ArgumentError(
                    "data:subset: there is no sample \(outside): \(data.data.name) has samples 1 to \(count)")
            }
            return DatasetObject(
                try data.data.subset(
                    selection(call, "data:subset"), classes: call.get("classes"), labelNoise: call.get("label_noise"),
                    seed: call.seed()))
        }
        sets.method(
            "split", "The training samples divided at random into ones to train on and ones to test on.",
            options: [
                .optional("test_n", .integer(.positive), "How many to test on."),
                .optional("test", .number(.between(0, 1)), "Or which share of them."), .seed,
            ], results: ScriptHost.dataset
        ) { data, call in
            let (count, share): (Int?, Double?) = (try call.get("test_n"), try call.get("test"))
            switch (count, share) {
            case (let count?, nil): return DatasetObject(try data.data.split(test: .count(count), seed: call.seed()))
            case (nil, let share?): return DatasetObject(try data.data.split(test: .fraction(share), seed: call.seed()))
            default: throw ArgumentError("data:split takes one of test_n and test")
            }
        }
        sets.length("How many training samples it has.") { $0.data.train.count }
        sets.description { $0.data.summary }
        sets.external { object in
            let data = object.data
            return (data.train.count + (data.test?.count ?? 0)) * (data.inputWidth + data.outputs) * 4
        }
        return sets
    }
}
