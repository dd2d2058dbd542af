import Compute
import Foundation

/// What is wanted of a table in text.
public struct CSVOptions: Sendable {
    /// The column of what the others should give: from 1 on, −1 for the last one, or the name in the header.
    public var answers: (column: Int?, name: String?) = (-1, nil)
    /// Whether these are classes, whole numbers from 0 or words, or real numbers.
    public var areClasses = true
    /// Whether the first line names the columns; `nil`: it does where it is not of numbers.
    public var hasHeader: Bool?
    public var separator = UInt8(ascii: ",")
    /// The shape of one input; `nil`: the number of the other columns.
    public var shape: [Int]?
    /// What inputs are multiplied by.
    public var scale = 1.0
    /// Whether inputs are then shifted and scaled to mean 0 and deviation 1 over the training samples taken: each channel of images
    /// (shapes of three axes), else each column.
    public var standardizes = true
    public var selection: SampleSelection = .all
    public var classes: [Int]?
    public var labelNoise = 0.0
    /// How many samples, at random, are set aside for testing before training samples are chosen.
    public var testCount = 0
    public var seed: UInt64 = 0
    public var name = "csv"

    public init() {}
}

extension Dataset {
    /// Samples from a table in text, a sample a line, gzipped or not.
    /// - Throws: `DatasetError` for a file that is not such a table or does not fit the options; the memory account's error.
    public static func csv(path: String, _ options: CSVOptions = CSVOptions()) throws -> Dataset {
        try csv(FileSource(path: path), options)
    }

    /// The same of a file in memory, which `name` stands for in errors.
    public static func csv(_ data: Data, name: String, _ options: CSVOptions = CSVOptions()) throws -> Dataset {
        try csv(MemorySource(data, name: name), options)
    }

    private static func csv(_ source: any ByteSource, _ options: CSVOptions) throws -> Dataset {
        let column = options.answers.name.map { CSVTable.Column.name($0) } ?? .number(options.answers.column ?? -1)
        let table = try CSVTable(source, words: column, separator: options.separator, header: options.hasHeader)
        guard table.width > 0 else { throw DatasetError("\(source.name) has one column: inputs need others") }
        let shape = options.shape ?? [table.width]
        guard try NDArray.elementCount(shape) == table.width else {
            throw DatasetError(
                "\(source.name) has \(table.width) numbers for an input, which are none of shape \(shape)")
        }
        let inputs = try NDArray.doubles([table.rows] + shape, for: "the inputs of \(source.name)") { target in
            for stretch in target.indices.stretches {
                try Cancellation.check()
                for i in stretch { target[i] = options.scale * table.numbers[i] }
            }
        }
        let (answers, names) = try answers(of: table, areClasses: options.areClasses, source.name)
        let all = try arrays(name: options.name, inputs: inputs, answers: answers, classes: names?.count)
        var data = Dataset(
            name: all.name, inputShape: all.inputShape, train: all.train, classNames: names, source: source.name)
        if options.testCount > 0 { data = try data.split(test: .count(options.testCount), seed: options.seed) }
        data = try data.subset(
            options.selection, classes: options.classes, labelNoise: options.labelNoise, seed: options.seed)
        return options.standardizes ? try data.standardized() : data
    }

    /// Classes are whole numbers, or words in alphabetical order.
    private static func answers(
        of table: CSVTable, areClasses: Bool, _ name: String
    ) throws -> (answers: Answers, names: [String]?) {
        let numbers = table.words.map { CSVTable.number(Array($0.utf8)[...]) }
        guard areClasses else {
            if let row = numbers.firstIndex(of: nil) {
                throw DatasetError(
                    "\(name), row \(row + 1): the target '\(table.words[row].prefix(40))' is not a finite number")
            }
            return (.targets(try NDArray(numbers.compactMap { $0 })), nil)
        }
        let whole = numbers.compactMap { $0.flatMap { Int32(exactly: $0) } }
        if whole.count == table.rows { return (.labels(try NDArray(whole)), nil) }
        let names = Set(table.words).sorted()
        guard names.count < table.rows, numbers.allSatisfy({ $0 == nil }) else {
            throw DatasetError(
                "\(name): the column of the labels has neither whole numbers nor words that occur again: is it another column "
                    + "(label = 1, -1 or a name), or are they real numbers (target)?")
        }
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int32($0)) })
        return (.labels(try NDArray(table.words.map { places[$0] ?? 0 })), names)
    }

    /// Inputs with mean 0 and deviation 1 over the training samples, and the test samples shifted and scaled by the same numbers.
    private func standardized() throws -> Dataset {
        guard let table = train.inputViews.table as? ArrayTable else { return self }
        let size = inputShape.count == 3 ? inputShape[1] * inputShape[2] : 1
        let groups = inputWidth / size
        var (sums, squares) = ([Double](repeating: 0, count: groups), [Double](repeating: 0, count: groups))
        let count = Double(train.count * size)
        for stretch in (0..<table.array.count).stretches {
            try Cancellation.check()
            for i in stretch { sums[i % inputWidth / size] += table.array[flat: i] }
        }
        let means = sums.map { $0 / count }
        for stretch in (0..<table.array.count).stretches {
            try Cancellation.check()
            for i in stretch {
                let group = i % inputWidth / size
                let distance = table.array[flat: i] - means[group]
                squares[group] += distance * distance
            }
        }
        // A column that is constant becomes 0.
        let stds = squares.map { $0 > 0 ? ($0 / count).squareRoot() : 1 }
        func shifted(_ split: Split) throws -> Split {
            guard let table = split.inputViews.table as? ArrayTable else { return split }
            let what = "the inputs of \(name)"
            let values = try NDArray.doubles(table.array.shape, for: what) { target in
                for stretch in target.indices.stretches {
                    try Cancellation.check()
                    for i in stretch {
                        let group = i % inputWidth / size
                        target[i] = (table.array[flat: i] - means[group]) / stds[group]
                    }
                }
            }
            return split.with(inputs: ElementViews(ArrayTable(array: values), for: what))
        }
        return with(
            train: try shifted(train), test: try test.map(shifted), classNames: classNames,
            note: size > 1 ? "standardized by channel" : "standardized by column")
    }
}
