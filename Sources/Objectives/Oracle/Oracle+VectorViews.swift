import Compute
import Networks

extension Oracle {
    /// Calls `body` with the addresses of all parameters' parts of some vectors, vector after vector.
    func withViews<Result>(
        of vectors: [Vector], _ body: ([UnsafeRawPointer]) throws -> Result
    ) throws -> Result {
        func bind(_ rest: ArraySlice<Vector>, after views: [UnsafeRawPointer]) throws -> Result {
            guard let next = rest.first else { return try body(views) }
            return try next.withUnsafeBytes { bytes in
                try bind(
                    rest.dropFirst(), after: views + layout.views(of: bytes.baseAddress!, element: element))
            }
        }
        return try bind(vectors[...], after: [])
    }

    func withViews<Result>(of vector: Vector, _ body: ([UnsafeRawPointer]) throws -> Result) throws -> Result {
        try withViews(of: [vector], body)
    }

    /// Binds directions that follow each other: `x.tangent1`, `x.tangent2`, …
    func set(_ tangents: [UnsafeRawPointer], numberedIn operands: inout ProgramOperands) {
        let width = layout.entries.count
        for number in 0..<tangents.count / max(1, width) {
            operands.set(.tangents(number: number + 1), Array(tangents[number * width..<(number + 1) * width]))
        }
    }
}
