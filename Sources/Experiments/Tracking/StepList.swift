/// Whole numbers in order, such as the steps of a series. While they go on in equal strides it holds the first, the stride and how
/// many they are; else 8 bytes a number.
public struct StepList: RandomAccessCollection, Sendable {
    private var start = 0
    private var stride = 0
    private var regularCount = 0
    /// All of them, where strides differ.
    private var listed: [Int]?

    public init() {}

    public init(_ steps: some Sequence<Int>) { for step in steps { append(step) } }

    /// `count` numbers from `first` on, `stride` apart.
    init(first: Int, stride: Int, count: Int) { (start, self.stride, regularCount) = (first, stride, count) }

    public var startIndex: Int { 0 }
    public var endIndex: Int { listed?.count ?? regularCount }

    public subscript(index: Int) -> Int {
        if let listed { return listed[index] }
        precondition(index >= 0 && index < regularCount, "a step list has no such place")
        return start + index * stride
    }

    /// The stride, where all are the same; of fewer than two numbers 0.
    var regularStride: Int? { listed == nil ? stride : nil }

    mutating func append(_ step: Int) {
        if listed != nil {
            listed?.append(step)
            return
        }
        if regularCount == 0 {
            start = step
        } else {
            let (difference, overflow) = step.subtractingReportingOverflow(self[regularCount - 1])
            if regularCount == 1, !overflow {
                stride = difference
            } else if overflow || difference != stride {
                listed = Array(self) + [step]
                return
            }
        }
        regularCount += 1
    }

    mutating func append(contentsOf other: StepList) { for step in other { append(step) } }

    mutating func removeFirst(_ count: Int) { self = StepList(dropFirst(count)) }

    /// How many of them, which must ascend, are at most `step`.
    func count(through step: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= step { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Bytes that they take.
    var byteCount: Int { 8 * (listed?.count ?? 0) }
}

/// Numbers of which most lists have but one: held once while they are the same to the bit, else 8 bytes a number.
public struct RepeatedNumbers: RandomAccessCollection, Sendable {
    private var number = Double.nan
    private var repetitions = 0
    private var listed: [Double]?

    public init() {}

    public init(_ numbers: some Sequence<Double>) { for number in numbers { append(number) } }

    init(repeating number: Double, count: Int) { (self.number, repetitions) = (number, count) }

    public var startIndex: Int { 0 }
    public var endIndex: Int { listed?.count ?? repetitions }

    public subscript(index: Int) -> Double {
        if let listed { return listed[index] }
        precondition(index >= 0 && index < repetitions, "the list has no such place")
        return number
    }

    /// The one number that they all are; nil where they differ.
    var common: Double? { listed == nil ? number : nil }

    mutating func append(_ next: Double) {
        if listed != nil {
            listed?.append(next)
            return
        }
        if repetitions == 0 { number = next }
        if next.bitPattern == number.bitPattern {
            repetitions += 1
        } else {
            listed = [Double](repeating: number, count: repetitions) + [next]
        }
    }

    mutating func append(contentsOf other: RepeatedNumbers) { for number in other { append(number) } }

    mutating func removeFirst(_ count: Int) { self = RepeatedNumbers(dropFirst(count)) }

    /// Bytes that they take.
    var byteCount: Int { 8 * (listed?.count ?? 0) }
}
