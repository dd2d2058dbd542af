import Compute
import Datasets
import Graph
import LuaBridge

final class ArrayObject: LuaObject {
    let array: NDArray
    init(_ array: NDArray) { self.array = array }

    convenience init(_ numbers: [Double]) throws { self.init(try NDArray(numbers)) }
}

extension ScriptHost {
    /// `array`: numbers in any number of axes, such as those of a file or the values of a series. Its arithmetic is element by element.
    func arrayClass() -> ObjectClass<ArrayObject> {
        let arrays = ObjectClass<ArrayObject>(
            "array", "Numbers in one or more axes, with arithmetic element by element; a value.")
        arrays.property("dtype", .string, "Its element type.") { $0.array.element.rawValue }
        arrays.method(
            "shape", "The extents of its axes.", results: [Parameter("extents", .list(of: .integer), "The extents.")]
        ) { array, _ in array.array.shape }
        arrays.method(
            "get", "One number, by an index from 1 for each axis.",
            rest: Parameter("index", .integer, "An index for each axis."),
            results: [Parameter("number", .number, "The number.")]
        ) { array, call in
            let indices: [Int] = try call.rest()
            let shape = array.array.shape
            guard indices.count == shape.count, zip(indices, shape).allSatisfy({ $0 >= 1 && $0 <= $1 }) else {
                throw ArgumentError(
                    "array:get(\(indices.map(String.init).joined(separator: ", "))): the array has shape \(shape), and "
                        + "indices start at 1")
            }
            var flat = 0
            for (index, extent) in zip(indices, shape) { flat = flat * extent + index - 1 }
            return array.number(flat)
        }
        arrays.method(
            "totable", "Its numbers as a Lua table, of tables where it has more than one axis.",
            results: [Parameter("numbers", .list(of: .any), "The numbers, of several axes in tables of tables.")]
        ) { array, _ in array.table() }
        arrays.method(
            "tovector", "Its numbers in order, as a vector: f32 stays f32, everything else becomes f64.",
            results: [Parameter("vector", .vector, "The vector.")]
        ) { array, _ in VectorObject(try array.vector()) }
        addArithmetic(to: arrays)
        addPowers(to: arrays)
        arrays.negation { try negated(.array($0.array)) }
        arrays.infix(.equal, "array == array", .boolean) { (a: ArrayObject, b: ArrayObject) in
            a.array.shape == b.array.shape && a.array.values == b.array.values
        }
        arrays.length("The extent of the first axis.") { $0.array.shape.first ?? 1 }
        arrays.elements(
            LuaType.number.or(.object("array")).orNil,
            "The i-th place of the first axis: a number, or an array of one axis fewer."
        ) { array, i in try array.element(i) }
        arrays.description { array in
            let a = array.array
            let shape = a.shape.isEmpty ? "scalar" : a.shape.map(String.init).joined(separator: "×")
            let first = (0..<min(a.count, 6)).map { i in a.integer(flat: i).map { "\($0)" } ?? short(a[flat: i]) }
                .joined(
                    separator: ", ")
            return "array \(shape) (\(a.element.rawValue)): \(first)\(a.count > 6 ? ", …" : "")"
        }
        arrays.external { $0.array.count * $0.array.element.byteCount }
        return arrays
    }
}

extension ArrayObject {
    /// The number at a place in row-major order, an integer where the array has integers.
    func number(_ flat: Int) -> LuaValue {
        array.integer(flat: flat).map { .integer($0) } ?? .number(array[flat: flat])
    }

    /// The number, or the part of the array, at an index of the first axis from 1; nil beyond its end.
    fileprivate func element(_ i: Int) throws -> LuaValue? {
        guard let extent = array.shape.first, i >= 1, i <= extent else { return nil }
        if array.shape.count == 1 { return number(i - 1) }
        return .object(ArrayObject(try array.part(i - 1)))
    }

    fileprivate func table() -> LuaValue {
        if array.shape.isEmpty { return .table(LuaTable(array: [number(0)])) }
        return table(array.shape[...], from: 0)
    }

    private func table(_ shape: ArraySlice<Int>, from flat: Int) -> LuaValue {
        guard let extent = shape.first, shape.count > 1 else {
            return .table(LuaTable(array: (0..<(shape.first ?? 1)).map { number(flat + $0) }))
        }
        let inner = shape.dropFirst()
        let size = inner.reduce(1, *)
        return .table(LuaTable(array: (0..<extent).map { table(inner, from: flat + $0 * size) }))
    }

    /// All elements in order: f32 stays f32, everything else becomes f64.
    func vector() throws -> Vector {
        let element: ElementType = array.element == .f32 ? .f32 : .f64
        var vector = try Vector(zeros: array.count, element: element)
        try vector.withUnsafeMutableBytes { bytes in
            if element == .f32 {
                array.copy(to: bytes.bindMemory(to: Float.self))
            } else {
                array.copy(to: bytes.bindMemory(to: Double.self))
            }
        }
        return vector
    }

    /// The array that a Lua table of numbers, or of tables, arrays or vectors of equal lengths, spells.
    static func spelled(by value: LuaValue, _ option: String) throws -> NDArray {
        if let array = ArrayObject.read(value) { return array.array }
        if let vector = VectorObject.read(value) { return try NDArray(vector: vector.vector) }
        var shape: [Int] = []
        var numbers: [Double] = []
        try flatten(value, depth: 0, &shape, &numbers, option)
        return try NDArray(numbers, shape: shape)
    }

    private static func flatten(
        _ value: LuaValue, depth: Int, _ shape: inout [Int], _ numbers: inout [Double], _ option: String
    ) throws {
        if case .integer(let integer) = value, Int(exactly: Double(integer)) != integer {
            throw ArgumentError(
                "'\(option)': \(integer) is no number of f64, of which arrays are made: give it as a text, or in two parts"
            )
        }
        if let number = Double.read(value), depth == shape.count, depth > 0 { return numbers.append(number) }
        if depth > 0,
            let part = try ArrayObject.read(value)?.array
                ?? VectorObject.read(value).map({ try NDArray(vector: $0.vector) })
        {
            if depth == shape.count, numbers.isEmpty { shape += part.shape }
            guard shape[depth...].elementsEqual(part.shape), part.count > 0 else {
                throw ArgumentError("'\(option)': the arrays in it have different shapes")
            }
            numbers += (0..<part.count).map { part[flat: $0] }
            return
        }
        if case .table(let table) = value, depth == 0 {
            if let name = table.fields.filter({ ArrayObject.read($0.value) != nil }).keys.min() {
                throw ArgumentError("'\(option)': a table of arrays; name one of them, its field '\(name)', say")
            }
            if table.array.isEmpty, table.fields.isEmpty { throw ArgumentError("'\(option)' holds no numbers") }
        }
        guard case .table(let table) = value, table.fields.isEmpty, table.others.isEmpty else {
            throw ArgumentError("'\(option)': expected an array, or numbers in tables of equal lengths")
        }
        if depth == shape.count && numbers.isEmpty { shape.append(table.array.count) }
        guard depth < shape.count, shape[depth] == table.array.count, !table.array.isEmpty else {
            throw ArgumentError("'\(option)': the tables in it have different lengths")
        }
        for (place, element) in table.array.enumerated() {
            if place % 65_536 == 0 { try Cancellation.check() }
            try flatten(element, depth: depth + 1, &shape, &numbers, option)
        }
    }
}

extension NDArray {
    /// The part at an index of the first axis, from 0.
    fileprivate func part(_ i: Int) throws -> NDArray {
        let shape = Array(self.shape.dropFirst())
        let size = shape.reduce(1, *) * element.byteCount
        return try NDArray(shape: shape, element: element) { target in
            withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[i * size..<(i + 1) * size])) }
        }
    }
}
