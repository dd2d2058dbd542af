import Compute
import Datasets
import LuaBridge

/// `eoss.data`: loaders of images, and the user's own arrays. Generators: Data+Generators.swift.
extension ScriptHost {
    func addData(to eoss: Namespace) {
        let data = eoss.namespace("data", "Data sets: loaded and generated.")
        for facts in ImageFacts.all { addImages(facts, to: data) }
        addArraysData(to: data)
        addCSV(to: data)
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

    private func addCSV(to data: Namespace) {
        let column = LuaType.integer.or(.string)
        data.function(
            "csv",
            "Samples from a table in text, a sample a line, gzipped or not: one column is the class or the target, the others are the input.",
            options: [
                Parameter("path", .path, "The file, below the output folder, the script's, or one of --allow-read."),
                .optional(
                    "label", column,
                    "The column of the class: its number from 1, -1 for the last one, or its name; whole numbers from 0, or words. The last one by default."
                ),
                .optional("target", column, "Instead, the column of a real number that is to be given."),
                .optional(
                    "header", .boolean,
                    "Whether the first line names the columns; by default, where it is not of numbers."),
                Parameter("separator", .string, default: ",", "What parts the fields: one character."),
                .optional("shape", .list(of: .integer(.positive)), "The shape of one input, such as { 1, 28, 28 }."),
                Parameter("scale", .number(.finite), default: 1.0, "What inputs are multiplied by, such as 1/255."),
                Parameter(
                    "standardize", .choice(["subset", "none"]), default: "subset",
                    "Whether inputs get mean 0 and deviation 1 over the training samples taken: each channel of images, else each column."
                ),
            ] + Self.selectionOptions + [
                Self.labelNoise,
                Parameter(
                    "test_n", .integer(.nonNegative), default: 0,
                    "How many samples, at random by the seed, are set aside for testing first."),
                Parameter("name", .string, default: "csv", "What the data are called."), .seed,
            ], results: Self.dataset
        ) { [unowned self] call in
            let path: String = try call.get("path")
            let options = try csvOptions(call)
            return DatasetObject(
                try readFile(
                    path, at: { try .csv(path: $0, options) }, of: { try .csv($0, name: path, options) }))
        }
    }

    private func csvOptions(_ call: borrowing LuaCall) throws -> CSVOptions {
        var options = CSVOptions()
        let isRegression = try call.has("target")
        if isRegression, try call.has("label") {
            throw ArgumentError("eoss.data.csv takes one of label and target")
        }
        options.areClasses = !isRegression
        switch try call.value(isRegression ? "target" : "label") {
        case .string(let name): options.answers = (nil, name)
        case .nil: break
        case let value: options.answers = (Int.read(value), nil)
        }
        options.hasHeader = try call.get("header")
        let separator: String = try call.get("separator")
        guard separator.utf8.count == 1, let byte = separator.utf8.first, byte != UInt8(ascii: "\""), byte >= 9 else {
            throw ArgumentError(
                "option 'separator' of eoss.data.csv: one character, such as ',' or ';', not '\(separator)'")
        }
        options.separator = byte
        options.shape = try call.get("shape")
        options.scale = try call.get("scale")
        options.standardizes = try call.get("standardize", as: String.self) == "subset"
        options.selection = try selection(call, "eoss.data.csv")
        options.classes = try call.get("classes")
        options.labelNoise = try call.get("label_noise")
        options.testCount = try call.get("test_n")
        options.name = try call.get("name")
        options.seed = try call.seed()
        return options
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
