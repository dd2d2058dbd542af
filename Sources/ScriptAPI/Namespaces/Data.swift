import Compute
import Datasets
import LuaBridge

/// `eoss.data`: loaders of images, and the user's own arrays. Generators: Data+Generators.swift.
extension ScriptHost {
    func addData(to eoss: Namespace) {
        let data = eoss.namespace("data", "Data sets: loaded and generated.")
        for facts in ImageFacts.all { addImages(facts, to: data) }
        addArraysData(to: data)
        addGenerators(to: data)
    }

    static let dataset = [Parameter("data", .object("dataset"), "The data.")]
    static let testCount = Parameter("test_n", .integer(.nonNegative), default: 0, "How many test samples.")
    static let labelNoise = Parameter(
        "label_noise", .number(.between(0, 1)), default: 0.0,
        "The share of the training samples that get a wrong label.")
    /// Which samples are taken.
    static let selectionOptions: [Parameter] = [
        .optional("n", .integer(.positive), "So many training samples at random; all by default."),
        .optional("first", .integer(.positive), "The first so many instead."),
        .optional("per_class", .integer(.positive), "So many of each class at random instead."),
        .optional("indices", .samples, "These samples instead, from 1."),
        .optional("classes", .list(of: .integer(.nonNegative)), "Only these classes, renumbered from 0."),
    ]

    private func addImages(_ facts: ImageFacts, to data: Namespace) {
        let shape = facts.imageShape.map(String.init).joined(separator: "×")
        data.function(
            facts.name, "\(facts.title): \(shape) images in \(facts.classNames.count) classes (\(facts.citation)).",
            options: Self.selectionOptions + [
                Self.labelNoise,
                Parameter(
                    "standardize", .choice(facts.possibleStandardizations.map(\.rawValue)), default: "subset",
                    "How pixels are shifted and scaled."),
                .optional("test_n", .integer(.nonNegative), "The first so many test samples; all by default."),
                .optional(
                    "path", .path,
                    "The folder of the files; by default EOSS_DATA and the system's folders are searched."),
                .seed,
            ], results: Self.dataset
        ) { [unowned self] call in
            var options = ImageOptions()
            options.selection = try selection(call, "eoss.data.\(facts.name)")
            options.classes = try call.get("classes")
            options.labelNoise = try call.get("label_noise")
            options.standardize = try call.choice("standardize")
            options.testCount = try call.get("test_n")
            options.seed = try call.seed()
            if let path: String = try call.get("path") { options.folder = try paths.readable(path) }
            do { return DatasetObject(try .images(facts, options)) } catch let error as DatasetError {
                guard let archive = self.options.archive, archive.dataName == facts.name else { throw error }
                throw DatasetError(
                    "\(error). The data of run '\(archive.run.printable)' have the digest \(archive.digest?.printable ?? "unknown")."
                )
            }
        }
    }

    private func addArraysData(to data: Namespace) {
        let array = LuaType.object("array").or(.vector).or(.table)
        data.function(
            "arrays", "Samples from arrays, or from tables of numbers.",
            options: [
                Parameter("inputs", array, "One sample a row: n × shape."),
                .optional("targets", array, "One target a row, one-hot or real."),
                .optional(
                    "labels", array, "Or the class of each sample (or of each place of it), from 0; -1: left out."),
                .optional("classes", .integer(.positive), "How many classes; the largest label plus 1 by default."),
                .optional("vocabulary", .integer(.positive), "Inputs are tokens, whole numbers from 0 below this."),
                .optional("test_inputs", array, "Test samples of the same kind."),
                .optional("test_targets", array, "Their targets."), .optional("test_labels", array, "Or their labels."),
                Parameter("name", .string, default: "arrays", "What the data are called."),
            ], results: Self.dataset
        ) { call in
            var train = try samples(call, prefix: "")
            var test = try call.has("test_inputs") ? try samples(call, prefix: "test_") : nil
            if try call.has("vocabulary") {
                train.inputs = try train.inputs.asIntegers()
                if let inputs = test?.inputs { test?.inputs = try inputs.asIntegers() }
            }
            return DatasetObject(
                try .arrays(
                    name: call.get("name"), inputs: train.inputs, answers: train.answers, classes: call.get("classes"),
                    vocabulary: call.get("vocabulary"), test: test))
        }
    }
}

/// What the options of selection say.
func selection(_ call: borrowing LuaCall, _ what: String) throws -> SampleSelection {
    var selections: [SampleSelection] = []
    if let n: Int = try call.get("n") { selections.append(.random(n)) }
    if let n: Int = try call.get("first") { selections.append(.first(n)) }
    if let n: Int = try call.get("per_class") { selections.append(.perClass(n)) }
    if let indices: [Int] = try call.get("indices") {
        var seen: Set<Int> = []
        if let twice = indices.first(where: { !seen.insert($0).inserted }) {
            throw ArgumentError("option 'indices' of \(what) names sample \(twice) twice")
        }
        if indices.isEmpty { throw ArgumentError("option 'indices' of \(what) is empty: name at least one sample") }
        selections.append(.indices(indices.map { $0 - 1 }))
    }
    guard selections.count <= 1 else {
        throw ArgumentError("\(what) takes one of n, first, per_class and indices")
    }
    return selections.first ?? .all
}

private func samples(_ call: borrowing LuaCall, prefix: String) throws -> (inputs: NDArray, answers: Answers) {
    let (targets, labels) = (prefix + "targets", prefix + "labels")
    let inputs = try ArrayObject.spelled(by: call.value(prefix + "inputs"), prefix + "inputs")
    guard try call.has(targets) != call.has(labels) else {
        throw ArgumentError("eoss.data.arrays takes \(prefix)inputs with one of \(targets) and \(labels)")
    }
    if try call.has(targets) { return (inputs, .targets(try ArrayObject.spelled(by: call.value(targets), targets))) }
    return (inputs, .labels(try ArrayObject.spelled(by: call.value(labels), labels)))
}

extension NDArray {
    /// Whole numbers as i32, for tokens out of a table of Lua's; anything else as it is.
    fileprivate func asIntegers() throws -> NDArray {
        guard element == .f64 || element == .f32 else { return self }
        let numbers = (0..<count).compactMap { Int32(exactly: self[flat: $0]) }
        return numbers.count == count ? try NDArray(numbers, shape: shape) : self
    }
}
