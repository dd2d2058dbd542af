import Compute
import Datasets
import Graph
import LuaBridge
import Networks

/// Numbers that a script holds: one, which may be a measurement, a Lua table of them, an array, a vector.
///
/// What is computed of several is a vector where one of them is a vector, else an array; of single numbers a number. It is f32
/// where all vectors and arrays of real numbers among them are; a table takes the element type of what it meets. Everything is
/// computed in f64 and rounded once, and nan goes through: what has seen one is nan.
enum Numbers {
    case one(Double)
    case integer(Int)
    case list([Double])
    case array(NDArray)
    case vector(VectorObject)
}

extension Numbers: LuaReadable {
    static func read(_ value: LuaValue) -> Numbers? {
        if case .integer(let integer) = value { return .integer(integer) }
        if let number = Double.read(value) { return .one(number) }
        if let array = ArrayObject.read(value) { return .array(array.array) }
        if let vector = VectorObject.read(value) { return .vector(vector) }
        return [Double].read(value).map { .list($0) }
    }

    var shape: [Int] {
        switch self {
        case .one, .integer: []
        case .list(let numbers): [numbers.count]
        case .array(let array): array.shape
        case .vector(let vector): [vector.vector.count]
        }
    }

    var isEmpty: Bool { shape.contains(0) }

    /// As messages call them.
    var words: String {
        switch self {
        case .one(let number): short(number)
        case .integer(let integer): "\(integer)"
        case .list(let numbers): "a list of \(numbers.count) numbers"
        case .array(let array):
            array.shape.count == 1 ? "an array of \(array.count) numbers" : "an array of shape \(array.shape)"
        case .vector(let vector): "a vector of \(vector.vector.count) numbers"
        }
    }

    /// All of them in order, in f64.
    var values: [Double] {
        switch self {
        case .one(let number): [number]
        case .integer(let integer): [Double(integer)]
        case .list(let numbers): numbers
        case .array(let array): array.values
        case .vector(let vector): vector.vector.values
        }
    }

    /// All of them in order, where they are integers that i64 holds.
    var integers: [Int64]? {
        switch self {
        case .integer(let integer): return [Int64(integer)]
        case .array(let array):
            switch array.element {
            case .f32, .f64, .bool, .u64: return nil
            case .i64: return array.withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
            case .i8, .i16, .i32, .u8, .u16, .u32: return array.values.map { Int64($0) }
            }
        case .one, .list, .vector: return nil
        }
    }

    /// The element type that they bring into a result; nil for those that take another's.
    private var element: ElementType? {
        switch self {
        case .one, .integer, .list: nil
        case .array(let array): array.element == .f32 ? .f32 : array.element == .f64 ? .f64 : nil
        case .vector(let vector): vector.vector.element
        }
    }

    static func element(of operands: [Numbers]) -> ElementType {
        let elements = operands.compactMap(\.element)
        return elements.contains(.f32) && !elements.contains(.f64) ? .f32 : .f64
    }

    /// Whether these go together element by element: of one shape, or one of them a single number.
    static func requireOneShape(_ operands: [Numbers], for what: String) throws {
        let lists = operands.filter { !$0.shape.isEmpty }
        guard let first = lists.first, let other = lists.first(where: { $0.shape != first.shape }) else { return }
        throw ArgumentError("\(what): \(first.words) and \(other.words) do not combine: they need equal lengths")
    }
}

// MARK: - What is computed of them

extension Numbers {
    /// A function of numbers, written as for tensors.
    ///
    /// - Parameter conditions: so many operands at the beginning are conditions, and go into the function as what they are.
    static func computed(
        _ operands: [Numbers], conditions: Int = 0, _ body: ([Symbolic]) throws -> Symbolic
    ) throws -> LuaValue {
        let stored = try operands.map(Stored.init)
        let builder = GraphBuilder()
        let symbols = try stored.enumerated().map { index, operand in
            let x = Symbolic(builder.input("x\(index)", operand.type), in: builder)
            return index < conditions ? x : try x.converted(to: .f64)
        }
        var y = try body(symbols)
        if y.type.element != .bool, !y.shape.isEmpty { y = try y.converted(to: element(of: operands)) }
        let graph = builder.build(outputs: [("y", y.value)])
        if operands.allSatisfy(\.shape.isEmpty) {
            // By the reference: what is made of single numbers has the bits of Lua's own functions, and no plan is compiled.
            return result(try Interpreter.run(graph, zip(stored, operands).map { Tensor($0.type, $1.values) })[0])
        }
        let plan = try Engine.shared.plan(for: graph)
        let vector = operands.lazy.compactMap { if case .vector(let vector) = $0 { vector } else { nil } }.first
        if let vector, y.type.element != .bool, y.shape == [vector.vector.count] {
            var result = try Vector(uninitialized: vector.vector.count, element: y.type.element)
            try result.withUnsafeMutableBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                Stored.withPointers(stored[...]) { plan.run(inputs: $0, outputs: [base]) }
            }
            return .object(VectorObject(result, vector.layout))
        }
        let result = try NDArray(shape: y.shape, element: ArrayElement(y.type.element)) { bytes in
            guard let base = bytes.baseAddress else { return }
            Stored.withPointers(stored[...]) { plan.run(inputs: $0, outputs: [base]) }
        }
        if !y.shape.isEmpty { return .object(ArrayObject(result)) }
        return result.element == .bool ? .boolean(result[flat: 0] != 0) : .number(result[flat: 0])
    }

    private static func result(_ tensor: Tensor) -> LuaValue {
        if !tensor.type.shape.isEmpty { return .numbers(tensor.values) }
        return tensor.type.element == .bool ? .boolean(tensor.scalar != 0) : .number(tensor.scalar)
    }

    /// The same for a function of the numbers in each place, that no tensor has.
    static func mapped(_ a: Numbers, _ b: Numbers, _ body: (Double, Double) -> Double) throws -> LuaValue {
        let (left, right) = (a.reader, b.reader)
        let shape = a.shape.isEmpty ? b.shape : a.shape
        if shape.isEmpty { return .number(body(left(0), right(0))) }
        let element = element(of: [a, b])
        func fill(_ bytes: UnsafeMutableRawBufferPointer) {
            if element == .f32 {
                let to = bytes.bindMemory(to: Float.self)
                for i in to.indices { to[i] = Float(body(left(i), right(i))) }
            } else {
                let to = bytes.bindMemory(to: Double.self)
                for i in to.indices { to[i] = body(left(i), right(i)) }
            }
        }
        for operand in [a, b] {
            guard case .vector(let vector) = operand else { continue }
            var result = try Vector(uninitialized: vector.vector.count, element: element)
            try result.withUnsafeMutableBytes(fill)
            return .object(VectorObject(result, vector.layout))
        }
        return .object(ArrayObject(try NDArray(shape: shape, element: ArrayElement(element), fill: fill)))
    }

    /// The number at each place in order; one number is at all of them.
    private var reader: (Int) -> Double {
        switch self {
        case .one(let number): { _ in number }
        case .integer(let integer): { _ in Double(integer) }
        case .list(let numbers): { numbers[$0] }
        case .array(let array): { array[flat: $0] }
        case .vector(let vector): { vector.vector[$0] }
        }
    }
}

/// Numbers where a plan finds them.
private enum Stored {
    case array(NDArray)
    case vector(Vector)

    init(_ numbers: Numbers) throws {
        switch numbers {
        case .vector(let vector): self = .vector(vector.vector)
        case .array(let array) where array.element.isFloating || array.element == .bool: self = .array(array)
        case .array(let array): self = .array(try NDArray(array.values, shape: array.shape))
        case .one, .integer, .list: self = .array(try NDArray(numbers.values, shape: numbers.shape))
        }
    }

    var type: TensorType {
        switch self {
        case .array(let array):
            TensorType(array.element == .bool ? .bool : array.element == .f32 ? .f32 : .f64, array.shape)
        case .vector(let vector): TensorType(vector.element, [vector.count])
        }
    }

    /// Where all of them lie, while `body` runs.
    static func withPointers(
        _ operands: ArraySlice<Stored>, _ before: [UnsafeRawPointer] = [], _ body: ([UnsafeRawPointer]) -> Void
    ) {
        guard let first = operands.first else { return body(before) }
        func go(_ bytes: UnsafeRawBufferPointer) {
            if let base = bytes.baseAddress { withPointers(operands.dropFirst(), before + [base], body) }
        }
        switch first {
        case .array(let array): array.withUnsafeBytes(go)
        case .vector(let vector): vector.withUnsafeBytes(go)
        }
    }
}

extension ArrayElement {
    /// The element's name in arrays.
    init(_ element: ElementType) {
        self =
            switch element {
            case .f32: .f32
            case .f64: .f64
            case .i32: .i32
            case .bool: .bool
            }
    }
}
