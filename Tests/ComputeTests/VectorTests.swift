import CKernels
import Graph
import Testing

@testable import Compute

/// Values with both signs and many magnitudes, the same each time.
private func sampleValues(_ count: Int, seed: UInt64 = 1) -> [Double] {
    var stream = RandomStream(seed: seed, purpose: .vector)
    return (0..<count).map { _ in stream.normal() * (stream.uniform() < 0.1 ? 1000 : 1) }
}

@Suite struct VectorTests {
    @Test(arguments: [ElementType.f32, .f64])
    func valuesComeBackAsTheyWentIn(element: ElementType) throws {
        let values = [0, -1.5, 3e20, 0.125]
        let vector = try Vector(values, element: element)
        #expect(vector.count == 4)
        #expect(vector.values == (element == .f32 ? values.map { Double(Float($0)) } : values))
        #expect(vector[1] == -1.5)
        #expect(try Vector(zeros: 3, element: element).values == [0, 0, 0])
    }

    @Test func f32ValuesAreRoundedToNearest() throws {
        let vector = try Vector([0.1], element: .f32)
        #expect(vector[0] == Double(Float(0.1)))
        #expect(try vector.converted(to: .f64).values == [Double(Float(0.1))])
        #expect(try Vector([0.1], element: .f64).converted(to: .f32) == vector)
    }

    @Test func aCopyIsIndependent() throws {
        let original = try Vector([1, 2, 3], element: .f64)
        var copy = original
        copy[0] = 10
        try copy.add(1, original)
        try copy.withUnsafeMutableBytes { $0.storeBytes(of: 7.0, toByteOffset: 8, as: Double.self) }
        #expect(original.values == [1, 2, 3])
        #expect(copy.values == [11, 7, 6])
    }

    @Test func copiesShareMemoryUntilOneIsWritten() throws {
        let account = MemoryAccount(limit: 1 << 20)
        let original = try Vector(zeros: 1000, element: .f64, account: account)
        let one = account.used
        var copy = original
        #expect(account.used == one)
        try copy.scale(2)
        #expect(account.used == 2 * one)
        try copy.scale(2)
        #expect(account.used == 2 * one)
        withExtendedLifetime(original) {}
    }

    @Test func aVectorThatDoesNotFitIsAnErrorAndNotATrap() throws {
        let account = MemoryAccount(limit: 9000)
        #expect(throws: MemoryError.self) { try Vector(zeros: 1 << 62, element: .f64) }
        #expect(throws: MemoryError.self) { try Vector(zeros: -1, element: .f32) }
        let vector = try Vector(zeros: 1000, element: .f64, account: account)
        var copy = vector
        #expect(throws: MemoryError.self) { try copy.add(1, vector) }
        #expect(throws: MemoryError.self) { try vector + vector }
        #expect(copy == vector)
    }

    @Test func onlyRealElementsMakeAVector() {
        #expect(throws: VectorError.notReal(.i32)) { try Vector(zeros: 3, element: .i32) }
        #expect(throws: VectorError.notReal(.bool)) { try Vector([1], element: .bool) }
    }

    @Test func vectorsOfDifferentSpacesDoNotMix() throws {
        let a = try Vector(zeros: 3, element: .f64)
        var b = try Vector(zeros: 4, element: .f64)
        let c = try Vector(zeros: 3, element: .f32)
        #expect(throws: VectorError.differentCounts(3, 4)) { try a.dot(b) }
        #expect(throws: VectorError.differentCounts(4, 3)) { try b.add(1, a) }
        #expect(throws: VectorError.differentElements(.f64, .f32)) { try a + c }
        #expect(throws: VectorError.differentElements(.f64, .f32)) { try VectorBlock.dots([a], [c]) }
    }

    @Test func bytesGoInAndOutUnchanged() throws {
        let floats: [Float] = [1, -2.5, 3]
        let vector = try floats.withUnsafeBytes { try Vector(copying: $0, element: .f32) }
        #expect(vector.values == [1, -2.5, 3])
        #expect(vector.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } == floats)
        #expect(throws: VectorError.partialElement(bytes: 12, element: .f64)) {
            try floats.withUnsafeBytes { try Vector(copying: $0, element: .f64) }
        }
    }

    /// Integers of this size are exact in both elements, so every result is exact.
    @Test(arguments: [ElementType.f32, .f64], [0, 1, 7, 16, 17, 1023, 1024, 1025, 5000])
    func arithmeticOnSmallIntegersIsExact(element: ElementType, count: Int) throws {
        let x = (0..<count).map { Double($0 % 13 - 6) }
        let y = (0..<count).map { Double($0 % 7 - 2) }
        let (a, b) = (try Vector(x, element: element), try Vector(y, element: element))
        #expect(try (a + b).values == zip(x, y).map { $0 + $1 })
        #expect(try (a - b).values == zip(x, y).map { $0 - $1 })
        #expect(try (3 * a).values == x.map { 3 * $0 })
        #expect(try (a * 3) == (3 * a))
        #expect(try (a / 4).values == x.map { $0 / 4 })
        #expect(try (-a).values == x.map { -$0 })
        #expect(try a.dot(b) == zip(x, y).map { $0 * $1 }.reduce(0, +))
        #expect(a.squaredNorm == x.map { $0 * $0 }.reduce(0, +))
        var c = a
        try c.add(-2, b)
        #expect(c.values == zip(x, y).map { $0 - 2 * $1 })
        try c.scale(0.5)
        #expect(c.values == zip(x, y).map { ($0 - 2 * $1) / 2 })
        try c.scale(0)
        #expect(c.values == Array(repeating: 0, count: count))
    }

    /// f32 products are exact in f64, and a million f64 additions in chunks lose at most about 10⁻¹³ of Σ|xᵢyᵢ|:
    /// 64 additions a lane, then one a chunk, 2⁻⁵³ each.
    @Test func sumsOfAMillionF32TermsKeepF64Accuracy() throws {
        let n = 1_000_000
        let x = try Vector((0..<n).map { $0 % 2 == 0 ? 1e4 : -1e4 + 0.001 }, element: .f32)
        let ones = try Vector(Array(repeating: 1, count: n), element: .f32)
        let term = Double(Float(-1e4 + 0.001)) + 1e4
        let absolute = 1e10
        #expect(abs(try x.dot(ones) - term * Double(n / 2)) <= 1e-13 * absolute)
    }

    @Test func theNormSurvivesOverflowAndUnderflowOfTheSquares() throws {
        #expect(abs(try Vector([3e200, 4e200], element: .f64).norm() / 5e200 - 1) < 1e-15)
        #expect(abs(try Vector([3e-200, 4e-200], element: .f64).norm() / 5e-200 - 1) < 1e-15)
        #expect(try Vector([0, 0], element: .f64).norm() == 0)
        #expect(try Vector([.infinity, 1], element: .f64).norm() == .infinity)
        #expect(try Vector([.nan, 1], element: .f32).norm().isNaN)
        #expect(try Vector([], element: .f32).norm() == 0)
    }

    @Test func infinitiesAndNansAreSeen() throws {
        #expect(try Vector([1e200, 1e300], element: .f64).isFinite)
        #expect(try !Vector([1, .infinity], element: .f64).isFinite)
        #expect(try !Vector([1, .nan], element: .f32).isFinite)
        var vector = try Vector([.infinity], element: .f32)
        try vector.scale(0)
        #expect(vector[0].isNaN)
    }

    @Test(arguments: [ElementType.f32, .f64])
    func blockOperationsAreTheSingleOnes(element: ElementType) throws {
        let n = 2500
        let x = try (0..<6).map { try Vector(sampleValues(n, seed: UInt64($0)), element: element) }
        let y = try (6..<9).map { try Vector(sampleValues(n, seed: UInt64($0)), element: element) }
        let dots = try VectorBlock.dots(x, y)
        for i in 0..<6 { for j in 0..<3 { #expect(try dots[i, j] == x[i].dot(y[j])) } }

        let c = DenseMatrix(rows: 6, columns: 3, values: sampleValues(18, seed: 77))
        let combined = try VectorBlock.combinations(x, c)
        var projected = y
        let after = try VectorBlock.subtract(x, times: c, from: &projected)
        for j in 0..<3 {
            // One rounding of the result against seven in f64, relative to the largest partial sum.
            let roundoff = element == .f32 ? 1e-7 : 1e-15
            for e in [0, 1, 1023, 1024, 2499] {
                let terms = (0..<6).map { c[$0, j] * x[$0][e] }
                let sum = terms.reduce(0, +)
                let scale = terms.map { abs($0) }.reduce(abs(y[j][e]), +)
                #expect(abs(combined[j][e] - sum) <= roundoff * scale)
                #expect(abs(projected[j][e] - (y[j][e] - sum)) <= roundoff * scale)
            }
            for i in 0..<6 { #expect(try after[i, j] == x[i].dot(projected[j])) }
        }
        #expect(try y[0] == Vector(sampleValues(n, seed: 6), element: element))
    }

    @Test func aMatrixThatDoesNotFitTheBlockIsAnError() throws {
        let x = try [Vector(zeros: 3, element: .f64)]
        #expect(throws: VectorError.differentBlocks(rows: 2, vectors: 1)) {
            try VectorBlock.combinations(x, DenseMatrix(zeros: 2, 1))
        }
        #expect(throws: VectorError.self) { try VectorBlock.combinations([], DenseMatrix(zeros: 0, 1)) }
    }

    /// The lanes and the tree are the same in every kernel set, and none uses fused multiply-add.
    @Test(arguments: [ElementType.f32, .f64]) func everyKernelSetGivesTheSameBits(element: ElementType) throws {
        let n = 3333
        let x = try (1...5).map { try Vector(sampleValues(n, seed: UInt64($0)), element: element) }
        let y = try (6...8).map { try Vector(sampleValues(n, seed: UInt64($0)), element: element) }
        let c = DenseMatrix(rows: 5, columns: 3, values: sampleValues(15, seed: 9))
        var numbers: Set<[UInt64]> = []
        for set in KernelSet.available {
            try Engine(threads: 2, kernelSet: set).asCurrent {
                var copy = y
                try copy[0].add(0.7, x[0])
                let before = try VectorBlock.dots(x, copy)
                let after = try VectorBlock.subtract(x, times: c, from: &copy)
                let combined = try VectorBlock.combinations(x, c)
                numbers.insert(
                    (before.values + after.values + (copy + combined).flatMap(\.values)).map(\.bitPattern))
            }
        }
        #expect(numbers.count == 1)
    }

    @Test func vectorsUseTheCurrentEngine() throws {
        let engine = try Engine(threads: 1)
        engine.asCurrent { #expect(Engine.current === engine) }
        #expect(Engine.current === Engine.shared)
    }

    @Test(arguments: [ElementType.f32, .f64])
    func randomVectorsFollowTheirStream(element: ElementType) throws {
        let n = 10_000
        var stream = RandomStream(seed: 5, purpose: .vector)
        let normal = try Vector.randomNormal(count: n, element: element, stream: &stream)
        let signs = try Vector.rademacher(count: n, element: element, stream: &stream)
        // Five standard deviations: of the mean 1/√n, of the mean square √(2/n).
        let ones = try Vector(Array(repeating: 1, count: n), element: element)
        let mean = try normal.dot(ones) / Double(n)
        #expect(abs(mean) < 5 / Double(n).squareRoot())
        #expect(abs(normal.squaredNorm / Double(n) - 1) < 5 * (2 / Double(n)).squareRoot())
        #expect(signs.values.allSatisfy { abs($0) == 1 })
        #expect(abs(try signs.dot(ones) / Double(n)) < 5 / Double(n).squareRoot())

        var again = RandomStream(seed: 5, purpose: .vector)
        #expect(try Vector.randomNormal(count: n, element: element, stream: &again).hasSameBits(as: normal))
        #expect(try Vector.rademacher(count: n, element: element, stream: &again).hasSameBits(as: signs))
        #expect(try !Vector.randomNormal(count: n, element: element, stream: &again).hasSameBits(as: normal))
    }
}
