import CKernels
import Graph
import Testing

@testable import Compute

@Suite struct VectorBlockTests {
    /// Several tiles and a rest that is no whole chunk; an odd number of y, so pairs and a single one.
    @Test(arguments: [ElementType.f32, .f64])
    func theNumberOfThreadsChangesNoBit(element: ElementType) throws {
        let n = 3 * 32 * 1024 + 777
        var stream = RandomStream(seed: 1, purpose: .vector)
        let x = try (0..<5).map { _ in try Vector.randomNormal(count: n, element: element, stream: &stream) }
        let y = try (0..<3).map { _ in try Vector.randomNormal(count: n, element: element, stream: &stream) }
        let c = DenseMatrix(rows: 5, columns: 3, values: (0..<15).map { 0.1 * Double($0) - 0.3 })
        let before = Engine.shared.threads
        defer { Engine.shared.threads = before }
        var results: [(dots: DenseMatrix, after: DenseMatrix, vectors: [Vector])] = []
        for threads in [1, 2, 3] {
            Engine.shared.threads = threads
            var projected = y
            let after = try VectorBlock.subtract(x, times: c, from: &projected)
            results.append(
                (try VectorBlock.dots(x, y), after, try projected + VectorBlock.combinations(x, c)))
        }
        for result in results.dropFirst() {
            #expect(result.dots == results[0].dots && result.after == results[0].after)
            for (a, b) in zip(result.vectors, results[0].vectors) { #expect(a.hasSameBits(as: b)) }
        }
        // A block gives the bits of its single vectors; tiles are a function of the size alone.
        for i in 0..<5 {
            for j in 0..<3 {
                #expect(try results[0].dots[i, j] == x[i].dot(y[j]))
                #expect(try results[0].after[i, j] == x[i].dot(results[0].vectors[j]))
            }
        }
        // A sum of n products of normal numbers, about √n, compared with one in another order: n roundings of f64 at most.
        let sum = zip(x[0].values, y[0].values).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(results[0].dots[0, 0] - sum) < 1e-15 * Double(n) * 10)
    }

    @Test func tilesCoverVectorsOfAnySize() {
        for n in [0, 1, 1024, 32 * 1024, 32 * 1024 + 1, 5_000_000, 1 << 40] {
            let tiles = ck_vectors_tiles(Int64(n))
            #expect(tiles >= 1 && tiles <= 64)
        }
    }
}
