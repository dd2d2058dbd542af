import CKernels
import Graph

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Engine {
    /// What decides the bits of results on this machine, for the run file: the kernel set and OpenBLAS's description of itself.
    ///
    /// - Throws: `PlanError.library` where OpenBLAS is missing.
    public func environment() throws(PlanError) -> [String: String] {
        try Engine.loadBLAS()
        return [
            "kernels": kernelSet.description,
            "openblas": String(cString: ck_blas_configuration()),
        ]
    }

    /// The machine's ceiling for products: floating-point operations a second (2n³ a product) of an n × n × n product through the
    /// engine's own tiles with all its threads, the best of some repetitions.
    ///
    /// - Parameters:
    ///   - element: `.f32` or `.f64`.
    ///   - size: n; 2048 is large enough that packing and memory cost nothing.
    /// - Throws: as ``plan(for:donating:)``.
    public func productRate(_ element: ElementType = .f32, size: Int = 2048, repetitions: Int = 5) throws -> Double {
        let builder = GraphBuilder()
        let type = TensorType(element, [size, size])
        let x = builder.input("x", type)
        let y = builder.input("y", type)
        let graph = builder.build(outputs: [("product", builder.dot(x, y, contracting: ([1], [1])))])
        let plan = try plan(for: graph)
        let account = MemoryAccount.shared
        let memory = try (0..<3).map { _ in
            try account.allocate(bytes: type.bytes(for: "a product"), for: "measuring products")
        }
        for buffer in memory { buffer.base.initializeMemory(as: UInt8.self, repeating: 0, count: buffer.byteCount) }
        var best = Int64.max
        withExtendedLifetime(memory) {
            for _ in 0..<max(1, repetitions) + 1 {
                let start = Engine.nanoseconds()
                plan.run(inputs: memory.prefix(2).map { UnsafeRawPointer($0.base) }, outputs: [memory[2].base])
                best = min(best, max(1, Engine.nanoseconds() - start))
            }
        }
        return 2 * Double(size) * Double(size) * Double(size) / (Double(best) * 1e-9)
    }

    private static func nanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
