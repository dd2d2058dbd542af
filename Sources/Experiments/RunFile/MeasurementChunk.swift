import Foundation
import GRDB

/// Values of a series that have nothing beside them, as columns: a row of the table `chunk`.
///
/// Steps ascend. The bits of values and operations are kept; seconds as their sum.
struct MeasurementChunk: Sendable {
    /// So many, or more, are a full chunk, to which nothing is added: 8 kB, which a commit writes again while it is open.
    static let capacity = 1024

    private(set) var steps = StepList()
    private(set) var values: [Double] = []
    /// Not a number where a measurement has none.
    private(set) var operations = RepeatedNumbers()
    /// Of those together that have any.
    private(set) var seconds: Double?

    var count: Int { values.count }
    var isEmpty: Bool { values.isEmpty }
    var isFull: Bool { count >= Self.capacity }

    /// - Parameter measurement: one that is plain, of a later step than those that are there.
    mutating func append(_ measurement: Measurement) {
        steps.append(measurement.step)
        values.append(measurement.value)
        operations.append(measurement.operations ?? .nan)
        if let own = measurement.seconds { seconds = (seconds ?? 0) + own }
    }

    mutating func append(contentsOf later: MeasurementChunk) {
        steps.append(contentsOf: later.steps)
        values += later.values
        operations.append(contentsOf: later.operations)
        if let own = later.seconds { seconds = (seconds ?? 0) + own }
    }

    /// Those of some steps; of the seconds as large a share.
    func kept(where isKept: (Int) -> Bool) -> MeasurementChunk {
        var kept = MeasurementChunk()
        for index in values.indices where isKept(steps[index]) {
            kept.steps.append(steps[index])
            kept.values.append(values[index])
            kept.operations.append(operations[index])
        }
        kept.seconds = kept.isEmpty ? nil : seconds.map { $0 * Double(kept.count) / Double(count) }
        return kept
    }

    /// One of them; of the seconds each has the mean.
    func measurement(at index: Int) -> Measurement {
        let own = operations[index]
        return Measurement(
            step: steps[index], value: values[index], seconds: seconds.map { $0 / Double(count) },
            operations: own.isNaN ? nil : own)
    }

    // MARK: - As it is stored

    static let columns = "first, last, count, steps, numbers, operations, seconds"

    /// The values of ``columns``.
    var stored: StatementArguments {
        var numbers: Data?
        if let common = operations.common {
            numbers = common.isNaN ? nil : Data(littleEndian: [common])
        } else {
            numbers = Data(littleEndian: Array(operations))
        }
        return [
            steps[0], steps[count - 1], count,
            steps.regularStride == nil ? Data(littleEndianIntegers: Array(steps)) : nil,
            Data(littleEndian: values), numbers, seconds,
        ]
    }

    /// Why a row is no chunk.
    struct Damage: Error {
        let reason: String
    }

    /// - Parameter place: where ``columns`` begin in the row, which may be a stranger's.
    /// - Throws: ``Damage`` for what could not have been written.
    init(_ row: Row, at place: Int = 0) throws {
        let first = try row.decode(Int.self, atIndex: place)
        let last = try row.decode(Int.self, atIndex: place + 1)
        let count = try row.decode(Int.self, atIndex: place + 2)
        func damage(_ reason: String) -> Damage { Damage(reason: "a chunk of values from step \(first) on \(reason)") }
        // What is there is what counts: a size that the row claims is compared with it before anything is made of it.
        let bytes = try row.decode(Data.self, atIndex: place + 4)
        guard count >= 1, bytes.count % 8 == 0, bytes.count / 8 == count, let numbers = [Double](littleEndian: bytes)
        else { throw damage("claims \(count) values and has \(bytes.count) bytes") }
        values = numbers
        if let bytes = try row.decode(Data?.self, atIndex: place + 3) {
            guard bytes.count == 8 * count else { throw damage("has not as many steps as values") }
            let listed = [Int](littleEndianIntegers: bytes)
            guard listed[0] == first, listed[count - 1] == last, zip(listed, listed.dropFirst()).allSatisfy({ $0 < $1 })
            else { throw damage("has steps that are not in order") }
            steps = StepList(listed)
        } else {
            let (span, overflow) = last.subtractingReportingOverflow(first)
            let strides = count - 1
            guard !overflow, strides == 0 ? span == 0 : span >= strides && span % strides == 0 else {
                throw damage("has steps that are not in order")
            }
            steps = StepList(first: first, stride: strides == 0 ? 0 : span / strides, count: count)
        }
        if let bytes = try row.decode(Data?.self, atIndex: place + 5) {
            guard let numbers = [Double](littleEndian: bytes), numbers.count == 1 || numbers.count == count else {
                throw damage("has not as many operations as values")
            }
            operations =
                numbers.count == 1
                ? RepeatedNumbers(repeating: numbers[0], count: count) : RepeatedNumbers(numbers)
        } else {
            operations = RepeatedNumbers(repeating: .nan, count: count)
        }
        seconds = try row.decode(Double?.self, atIndex: place + 6)
    }

    init() {}
}

extension Measurement {
    /// Whether there is nothing beside step, value and what it took: then it goes into a chunk.
    var isPlain: Bool {
        standardError == nil && samples == nil && products == nil && residual == nil && interval == nil && arrays == nil
            && extra == nil && converged == nil && isFinished && missProbability == nil
            && !(operations?.isNaN ?? false) && (seconds?.isFinite ?? true)
    }
}

extension Data {
    /// The integers one after the other, the low byte of each first.
    init(littleEndianIntegers numbers: [Int]) {
        self = numbers.map { Int64($0).littleEndian }.withUnsafeBytes { Data($0) }
    }
}

extension [Int] {
    /// The 64-bit integers of these bytes, the low byte of each first; bytes beyond a whole number of them are left.
    init(littleEndianIntegers bytes: Data) {
        self = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map { i in
                Int(Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * i, as: Int64.self)))
            }
        }
    }
}
