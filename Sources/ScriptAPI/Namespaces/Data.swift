import Compute
import Datasets
import LuaBridge

/// `eoss.data`: loaders and generators; `eoss.arrays`: files of arrays.
extension ScriptHost {
    func addData(to eoss: Namespace) {
        let data = eoss.namespace("data", "Data sets: loaded and generated.")
        data.function(
            "fashion_mnist", "Fashion-MNIST: 28×28 grey images in 10 classes (Xiao, Rasul & Vollgraf 2017).",
            options: [
                .optional("n", .integer(.positive), "So many training samples at random; all 60,000 by default."),
                .optional("first", .integer(.positive), "The first so many instead."),
                .optional("per_class", .integer(.positive), "So many of each class at random instead."),
                .optional("indices", .samples, "These samples instead, from 1."),
                .optional("classes", .list(of: .integer(.nonNegative)), "Only these classes, renumbered from 0."),
                Parameter(
                    "label_noise", .number(.between(0, 1)), default: 0.0,
                    "The share of the training samples that get a wrong label."),
                Parameter(
                    "standardize", .choice(Standardization.allCases.map(\.rawValue)), default: "subset",
                    "How pixels are shifted and scaled."),
                .optional("test_n", .integer(.nonNegative), "The first so many test samples; all by default."), .seed,
            ], results: [Parameter("data", .object("dataset"), "The data.")]
        ) { call in
            var options = ImageOptions()
            options.selection = try selection(call)
            options.classes = try call.get("classes")
            options.labelNoise = try call.get("label_noise")
            options.standardize = try call.choice("standardize")
            options.testCount = try call.get("test_n")
            options.seed = try call.seed()
            return DatasetObject(try .fashionMNIST(options))
        }
        data.function(
            "chebyshev", "n points in [-1, 1] and the Chebyshev polynomial of a degree there.",
            options: [
                Parameter("degree", .integer(.nonNegative), "The polynomial's degree."),
                Parameter("n", .integer(.positive), "How many points."),
            ], results: [Parameter("data", .object("dataset"), "The data.")]
        ) { call in DatasetObject(try .chebyshev(degree: call.get("degree"), n: call.get("n"))) }
        let array = LuaType.object("array").or(.vector).or(.table)
        data.function(
            "arrays", "Samples from arrays, or from tables of numbers.",
            options: [
                Parameter("inputs", array, "One sample a row: n × shape."),
                .optional("targets", array, "One target a row, one-hot or real."),
                .optional("labels", array, "Or the class of each sample, an integer from 0; -1: left out."),
                .optional("classes", .integer(.positive), "How many classes; the largest label plus 1 by default."),
                .optional("test_inputs", array, "Test samples of the same kind."),
                .optional("test_targets", array, "Their targets."), .optional("test_labels", array, "Or their labels."),
                Parameter("name", .string, default: "arrays", "What the data are called."),
            ], results: [Parameter("data", .object("dataset"), "The data.")]
        ) { call in
            let train = try samples(call, prefix: "")
            let test = try call.has("test_inputs") ? try samples(call, prefix: "test_") : nil
            return DatasetObject(
                try .arrays(
                    name: call.get("name"), inputs: train.inputs, answers: train.answers, classes: call.get("classes"),
                    test: test))
        }
    }

    func addArrays(to eoss: Namespace) {
        let arrays = eoss.namespace("arrays", "Files of named arrays.")
        arrays.function(
            "load", "Reads the arrays of a safetensors, npz or npy file (one array of it is called 'array').",
            parameters: [Parameter("path", .string, "The file; what it holds decides, not its name.")],
            results: [Parameter("arrays", .map(of: .object("array")), "The arrays by their names.")]
        ) { [unowned self] call in
            let path: String = try call.get("path")
            let arrays = try ArrayFile.load(paths.readable(path)).mapValues { LuaValue.object(ArrayObject($0)) }
            return LuaRecord(arrays, called: "the arrays of '\(path)'")
        }
        arrays.procedure(
            "save", "Writes arrays and vectors as a safetensors file below the output folder, for NumPy and PyTorch.",
            parameters: [
                Parameter("path", .string, "The file, such as 'eigenvectors.safetensors'."),
                Parameter("arrays", .table, "Arrays, vectors or tables of numbers by their names."),
            ]
        ) { [unowned self] call in
            guard case .table(let table) = try call.value("arrays"), table.array.isEmpty, !table.fields.isEmpty else {
                throw ArgumentError(
                    "'arrays' of eoss.arrays.save: expected names, such as { gradient = run:gradient() }")
            }
            var named: [String: NDArray] = [:]
            for (name, value) in table.fields { named[name] = try ArrayObject.spelled(by: value, name) }
            try OutputFile.write(try ArrayFile.safetensors(named), to: paths.writable(call.get("path")))
        }
        arrays.function(
            "from", "An array of the numbers in a table, or in tables of equal lengths.",
            parameters: [Parameter("numbers", .table, "Such as { { 1, 2 }, { 3, 4 } }.")],
            results: [Parameter("array", .object("array"), "The array.")]
        ) { call in ArrayObject(try ArrayObject.spelled(by: call.value("numbers"), "numbers")) }
    }
}

private func selection(_ call: borrowing LuaCall) throws -> SampleSelection {
    var selections: [SampleSelection] = []
    if let n: Int = try call.get("n") { selections.append(.random(n)) }
    if let n: Int = try call.get("first") { selections.append(.first(n)) }
    if let n: Int = try call.get("per_class") { selections.append(.perClass(n)) }
    if let indices: [Int] = try call.get("indices") {
        var seen: Set<Int> = []
        if let twice = indices.first(where: { !seen.insert($0).inserted }) {
            throw ArgumentError("option 'indices' of eoss.data.fashion_mnist names sample \(twice) twice")
        }
        selections.append(.indices(indices.map { $0 - 1 }))
    }
    guard selections.count <= 1 else {
        throw ArgumentError("eoss.data.fashion_mnist takes one of n, first, per_class and indices")
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
