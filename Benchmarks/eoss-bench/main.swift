import Compute
import Graph
import LuaBridge
import Networks

/// `make bench`: the rows of Benchmarks/README.md.

/// Operations a second of a 2048³ product in f32, on all threads.
let ceiling: () throws -> Double = {
    let n = 2048
    let builder = GraphBuilder()
    let a = builder.input("a", TensorType(.f32, [n, n]))
    let b = builder.input("b", TensorType(.f32, [n, n]))
    let product = builder.emit(
        DotGeneral(lhsBatch: [], rhsBatch: [], lhsContracting: [1], rhsContracting: [1], result: .f32), a, b)
    let plan = try Engine.shared.plan(for: builder.build(outputs: [("product", product)]))
    var stream = RandomStream(seed: 1, purpose: .data)
    let x = try Vector.randomNormal(count: n * n, element: .f32, stream: &stream)
    var y = try Vector(zeros: n * n, element: .f32)
    let seconds = try x.withUnsafeBytes { x in
        try y.withUnsafeMutableBytes { y in
            Clock.median(3) {
                plan.run(inputs: [x.baseAddress!, x.baseAddress!], outputs: [y.baseAddress!])
            }
        }
    }
    return 2 * Double(n * n * n) / seconds
}

print("\(Engine.shared.threads) threads; sgemm \((try ceiling() / 1e9).rounded(toPlaces: 0).asInteger) GFLOP/s\n")
let selected = Set(CommandLine.arguments.dropFirst())
if selected.isEmpty || selected.contains("perceptron") {
    let table = Table(peers: Peers(threads: Engine.shared.threads), ceiling: ceiling)
    table.header()
    for work in try PerceptronBench().works() { try table.row(work) }
}
if selected.isEmpty || selected.contains("steps") {
    print("")
    try StepBench().run()
}
if selected.isEmpty || selected.contains("convolutional") {
    print("")
    let table = Table(peers: Peers(threads: Engine.shared.threads), ceiling: ceiling)
    table.header()
    for work in try ConvolutionalBench.works() { try table.row(work) }
}
if selected.isEmpty || selected.contains("sequences") {
    print("")
    let table = Table(peers: Peers(threads: Engine.shared.threads), ceiling: ceiling)
    table.header()
    for work in try SequenceBench.works() { try table.row(work) }
}
if selected.isEmpty || selected.contains("block") {
    print("")
    try BlockBench(peers: Peers(threads: Engine.shared.threads), ceiling: ceiling).run()
}
if selected.isEmpty || selected.contains("bridge") {
    print("")
    try BridgeBench().run()
}
if selected.isEmpty || selected.contains("forks") {
    print("")
    try ForkBench().run()
}
if selected.isEmpty || selected.contains("tracked") {
    print("")
    for seed in 1...3 { try TrackedEigenvalueBench.quickstart(seed: UInt64(seed)).run() }
    try TrackedEigenvalueBench.fullBatch.run()
}
if selected.isEmpty || selected.contains("compile") {
    print("")
    try CompileBench().run()
}
