import Compute
import Graph
import Testing

/// A linear layer with ReLU on a batch of two: enough to see every part of the printed forms.
private func layer() -> Graph {
    let b = GraphBuilder()
    let x = b.input("x", TensorType(.f32, [2, 3]))
    let weight = b.input("weight", TensorType(.f32, [4, 3]))
    let bias = b.input("bias", TensorType(.f32, [4]))
    let z = b.add(b.dot(x, weight, contracting: ([1], [1])), b.broadcast(bias, to: [2, 4]))
    return b.build(outputs: [("h", b.relu(z)), ("total", b.sum(z))])
}

@Test func aGraphIsPrintedOneOperationALineWithTheInputsByName() {
    #expect(
        layer().description == """
            graph(%x: f32[2,3], %weight: f32[4,3], %bias: f32[4]) {
                %3 = dot_general %x, %weight {contracting = [1] x [1]} : f32[2,4]
                %4 = broadcast_in_dim %bias {dims = [1]} : f32[2,4]
                %5 = add %3, %4 : f32[2,4]
                %6 = constant {0.0} : f32[2,4]
                %7 = maximum %5, %6 : f32[2,4]
                %8 = reduce_sum %5 {dims = [0, 1]} : f32[]
                return h = %7, total = %8
            }
            """)
}

@Test func theStableHLOTextIsWhatStableHLOsGrammarSays() {
    #expect(
        layer().stableHLO() == """
            module {
              func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<4x3xf32>, %arg2: tensor<4xf32>) -> (tensor<2x4xf32>, tensor<f32>) {
                %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [1] : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
                %1 = stablehlo.broadcast_in_dim %arg2, dims = [1] : (tensor<4xf32>) -> tensor<2x4xf32>
                %2 = stablehlo.add %0, %1 : tensor<2x4xf32>
                %3 = stablehlo.constant dense<0.0> : tensor<2x4xf32>
                %4 = stablehlo.maximum %2, %3 : tensor<2x4xf32>
                %c0 = stablehlo.constant dense<0.0> : tensor<f32>
                %5 = stablehlo.reduce(%2 init: %c0) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x4xf32>, tensor<f32>) -> tensor<f32>
                return %4, %5 : tensor<2x4xf32>, tensor<f32>
              }
            }

            """)
}

@Test func theInterpreterAgreesWithArithmeticByHand() throws {
    let results = try Interpreter.run(
        layer(),
        [
            "x": Tensor(TensorType(.f32, [2, 3]), [1, 2, 3, -1, 0, 1]),
            "weight": Tensor(TensorType(.f32, [4, 3]), [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1]),
            "bias": Tensor(TensorType(.f32, [4]), [0.5, -3, 0, 0]),
        ])
    #expect(results["h"]?.values == [1.5, 0, 3, 6, 0, 0, 1, 0])
    #expect(results["total"]?.values == [1.5 - 1 + 3 + 6 - 0.5 - 3 + 1 + 0])
}

@Test func everyOperationHasItsStableHLOSpelling() {
    let b = GraphBuilder()
    let x = b.input("x", TensorType(.f32, [2, 3]))
    let holds = b.compare(x, .ge, b.constant(.infinity, TensorType(.f32, [2, 3])))
    let chosen = b.select(holds, b.logPlusOne(x), b.emit(Iota(type: TensorType(.f32, [2, 3]), dimension: 1)))
    let wide = b.convert(b.transpose(chosen, [1, 0]), to: .f64)
    let largest = b.max(b.reshape(wide, to: [6]), dimensions: [0])
    let table = b.constant(Tensor(TensorType(.i32, [2, 2]), [1, 2, 3, 4]))
    let batched = b.dot(x, x, contracting: ([1], [1]), batch: ([0], [0]))
    let text = b.build(outputs: [("a", largest), ("b", table), ("c", b.detach(batched))]).stableHLO()
    for line in [
        "stablehlo.constant dense<0x7F800000> : tensor<2x3xf32>",
        "stablehlo.compare GE, %arg0, %0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>",
        "stablehlo.log_plus_one %arg0 : tensor<2x3xf32>", "stablehlo.iota dim = 1 : tensor<2x3xf32>",
        "stablehlo.select %1, %2, %3 : tensor<2x3xi1>, tensor<2x3xf32>",
        "stablehlo.transpose %4, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>",
        "stablehlo.convert %5 : (tensor<3x2xf32>) -> tensor<3x2xf64>",
        "stablehlo.reshape %6 : (tensor<3x2xf64>) -> tensor<6xf64>",
        "stablehlo.constant dense<0xFFF0000000000000> : tensor<f64>",
        "applies stablehlo.maximum across dimensions = [0]",
        "stablehlo.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>",
        "stablehlo.dot_general %arg0, %arg0, batching_dims = [0] x [0], contracting_dims = [1] x [1]",
        "stablehlo.optimization_barrier",
    ] { #expect(text.contains(line), "\(line)\n\(text)") }
}

@Test func partsAndRowsHaveTheirStableHLOSpelling() {
    let b = GraphBuilder()
    let x = b.input("x", TensorType(.f32, [4, 3]))
    let batches = b.input("batches", TensorType(.f64, [2, 5, 3]))
    let indices = b.input("indices", TensorType(.i32, [2]))
    let parts = b.concatenate([b.slice(x, starts: [1, 0], limits: [4, 3], strides: [2, 1]), b.erf(x)], axis: 0)
    let padded = b.pad(b.reverse(parts, dimensions: [1]), low: [-1, 0], high: [0, 2], interior: [1, 0], value: 0.5)
    let rows = b.gather(padded, indices)
    let own = b.gather(batches, indices, batch: 1)
    let sums = b.scatterAdd(indices, own, rows: 7, batch: 1)
    let text = b.build(outputs: [("rows", rows), ("sums", b.batchMean(sums))]).stableHLO()
    for line in [
        "%0 = stablehlo.slice %arg0 [1:4:2, 0:3] : (tensor<4x3xf32>) -> tensor<2x3xf32>",
        "%1 = chlo.erf %arg0 : tensor<4x3xf32> -> tensor<4x3xf32>",
        "%2 = stablehlo.concatenate %0, %1, dim = 0 : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<6x3xf32>",
        "%3 = stablehlo.reverse %2, dims = [1] : tensor<6x3xf32>",
        "%c0 = stablehlo.constant dense<0.5> : tensor<f32>",
        "%4 = stablehlo.pad %3, %c0, low = [-1, 0], high = [0, 2], interior = [1, 0] : "
            + "(tensor<6x3xf32>, tensor<f32>) -> tensor<10x5xf32>",
        "%5 = \"stablehlo.gather\"(%4, %arg2) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], "
            + "collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, "
            + "indices_are_sorted = false, slice_sizes = array<i64: 1, 5>}> : "
            + "(tensor<10x5xf32>, tensor<2xi32>) -> tensor<2x5xf32>",
        "#stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [1], operand_batching_dims = [0], "
            + "start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 1>",
        "stablehlo.clamp %c1, %arg2, %c2 : (tensor<i32>, tensor<2xi32>, tensor<i32>) -> tensor<2xi32>",
        "#stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [1], input_batching_dims = [0], "
            + "scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>",
        "stablehlo.return %next : tensor<f64>",
        "}) : (tensor<2x7x3xf64>, tensor<2xi32>, tensor<2x3xf64>) -> tensor<2x7x3xf64>",
    ] { #expect(text.contains(line), "\(line)\n\(text)") }
}

@Test func whatLatePassesMadeIsSpelledAsWhatItStandsFor() {
    let text = layer().optimized().stableHLO()
    #expect(text.contains("stablehlo.maximum") && !text.contains("fusion"))
}
