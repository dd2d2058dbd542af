import Compute
import Datasets
import LuaBridge

/// `eoss.arrays`: files of named arrays.
extension ScriptHost {
    func addArrays(to eoss: Namespace) {
        eoss.function(
            "vector", "A vector of these numbers.",
            parameters: [
                Parameter("numbers", .object("array").or(.vector).or(.list(of: .number)), "Such as { 1, 2, 3 }.")
            ],
            options: [
                .optional("dtype", .element, "Its element type; that of the numbers, of a table f64 by default.")
            ],
            results: [Parameter("vector", .vector, "The vector.")]
        ) { call in
            let numbers = try call.value("numbers")
            let given = VectorObject.read(numbers)
            let vector = try given?.vector ?? ArrayObject(ArrayObject.spelled(by: numbers, "numbers")).vector()
            guard try call.has("dtype") else { return VectorObject(vector, given?.layout) }
            return VectorObject(try vector.converted(to: call.element()), given?.layout)
        }
        let arrays = eoss.namespace("arrays", "Files of named arrays.")
        arrays.function(
            "load", "Reads the arrays of a safetensors, npz, npy or MATLAB file (one array of it is called 'array').",
            parameters: [Parameter("path", .path, "The file; what it holds decides, not its name.")],
            results: [Parameter("arrays", .map(of: .object("array")), "The arrays by their names.")]
        ) { [unowned self] call in
            let path: String = try call.get("path")
            let arrays = try readArrays(path).mapValues { LuaValue.object(ArrayObject($0)) }
            return LuaRecord(arrays, called: "the arrays of '\(path)'")
        }
        arrays.procedure(
            "save",
            "Writes arrays and vectors below the output folder, for NumPy and PyTorch: as .safetensors or .npz, or one array as .npy.",
            parameters: [
                Parameter("path", .path, "The file, such as 'eigenvectors.safetensors'; its ending is the format."),
                Parameter(
                    "arrays", .map(of: LuaType.object("array").or(.vector).or(.list(of: .any))),
                    "Arrays, vectors or tables of numbers by their names."),
            ]
        ) { [unowned self] call in
            guard case .table(let table) = try call.value("arrays"), table.array.isEmpty, !table.fields.isEmpty else {
                throw ArgumentError(
                    "'arrays' of eoss.arrays.save: expected names, such as { gradient = run:gradient() }")
            }
            var named: [String: NDArray] = [:]
            for (name, value) in try table.fields.named(in: "'arrays' of eoss.arrays.save") {
                named[name] = try ArrayObject.spelled(by: value, name)
            }
            try save(named, to: call.get("path"))
        }
        arrays.function(
            "from",
            "An array of the numbers in a table, in tables of equal lengths, or in a vector, in its element type; an array is one.",
            parameters: [
                Parameter(
                    "numbers",
                    .list(of: LuaType.number.or(.list(of: .any))).or(.object("array")).or(.vector),
                    "Such as { { 1, 2 }, { 3, 4 } }.")
            ],
            results: [Parameter("array", .object("array"), "The array.")]
        ) { call in
            let numbers = try call.value("numbers")
            if let array = ArrayObject.read(numbers) { return array }
            if let vector = VectorObject.read(numbers)?.vector {
                return ArrayObject(
                    try NDArray(shape: [vector.count], element: ArrayElement(vector.element)) { bytes in
                        vector.withUnsafeBytes { bytes.copyMemory(from: $0) }
                    })
            }
            return ArrayObject(try ArrayObject.spelled(by: numbers, "numbers"))
        }
    }
}
