import Compute
import Graph
import Testing

/// What the small passes make of small programs, as text.
@Suite struct Simplification {
    private func text(_ inputs: [TensorType], _ make: (GraphBuilder, [Value]) -> Value) -> [String] {
        let b = GraphBuilder()
        let values = inputs.enumerated().map { b.input("x\($0)", $1) }
        let graph = b.build(outputs: [("y", make(b, values))]).simplified()
        return graph.description.split(separator: "\n").dropFirst().dropLast().map { String($0.drop { $0 == " " }) }
    }
    private let m = TensorType(.f64, [2, 3])

    @Test func neutralElementsAndSignsDisappear() {
        #expect(
            text([m]) { b, x in
                b.negate(
                    b.subtract(b.zeros(like: x[0]), b.multiply(b.ones(like: x[0]), b.add(x[0], b.zeros(like: x[0])))))
            } == ["return y = %x0"])
        #expect(
            text([m, m]) { b, x in b.add(x[0], b.scale(x[1], by: -1)) }
                == ["%2 = subtract %x0, %x1 : f64[2,3]", "return y = %2"])
        #expect(
            text([m]) { b, x in b.scale(b.negate(b.scale(b.add(x[0], x[0]), by: 3)), by: 0.5) }
                == ["%1 = constant {-3.0} : f64[2,3]", "%2 = multiply %x0, %1 : f64[2,3]", "return y = %2"])
    }

    @Test func aProductWithZeroStaysSoThatANaNIsSeen() {
        #expect(text([m]) { b, x in b.scale(x[0], by: 0) }.count == 3)
        #expect(text([m]) { b, x in b.subtract(x[0], x[0]) } == ["%1 = subtract %x0, %x0 : f64[2,3]", "return y = %1"])
    }

    @Test func minusZeroAndNaNAreConstantsOfTheirOwn() throws {
        let b = GraphBuilder()
        let scalar = TensorType(.f64)
        let outputs = [0.0, -0.0, .nan, .nan].enumerated().map { ("y\($0)", b.constant($1, scalar)) }
        let graph = b.build(outputs: outputs.map { (name: $0.0, value: $0.1) }).simplified()
        #expect(graph.nodes.count == 3)
        let values = try Interpreter.run(graph, []).map(\.scalar)
        #expect(values[1].sign == .minus && values[2].isNaN && values[3].isNaN)
    }

    @Test func whatMovesNumbersTwiceMovesThemOnce() {
        #expect(
            text([m]) { b, x in b.transpose(b.transpose(b.broadcast(x[0], to: [4, 2, 3]), [1, 0, 2]), [1, 0, 2]) }
                == ["%1 = broadcast_in_dim %x0 {dims = [1, 2]} : f64[4,2,3]", "return y = %1"])
        #expect(
            text([m]) { b, x in b.reshape(b.reshape(x[0], to: [6]), to: [3, 2]) }
                == ["%1 = reshape %x0 : f64[3,2]", "return y = %1"])
        #expect(text([m]) { b, x in b.sum(b.broadcast(x[0], to: [4, 2, 3]), dimensions: [0]) }.last == "return y = %2")
        #expect(
            text([m]) { b, x in b.sum(b.sum(x[0], dimensions: [0]), dimensions: [0]) }
                == ["%1 = reduce_sum %x0 {dims = [0, 1]} : f64[]", "return y = %1"])
    }

    @Test func conversionsThatLoseNothingAreUndoneAndOthersStay() {
        #expect(
            text([TensorType(.f32, [2])]) { b, x in b.convert(b.convert(x[0], to: .f64), to: .f32) } == [
                "return y = %x0"
            ])
        #expect(text([TensorType(.f64, [2])]) { b, x in b.convert(b.convert(x[0], to: .f32), to: .f64) }.count == 3)
        // Neither of i32 and f32 holds all numbers of the other: 1.5 has no i32, 2²⁴ + 1 no f32.
        #expect(text([TensorType(.f32, [2])]) { b, x in b.convert(b.convert(x[0], to: .i32), to: .f32) }.count == 3)
        #expect(text([TensorType(.i32, [2])]) { b, x in b.convert(b.convert(x[0], to: .f32), to: .i32) }.count == 3)
    }

    @Test func choicesMadeBeforehandDisappear() {
        let predicate = TensorType(.bool, [2, 3])
        #expect(text([predicate, m]) { b, x in b.select(x[0], x[1], x[1]) } == ["return y = %x1"])
        #expect(
            text([predicate, m, m]) { b, x in b.select(x[0], b.select(x[0], x[1], x[2]), x[2]) }
                == ["%3 = select %x0, %x1, %x2 : f64[2,3]", "return y = %3"])
    }

    @Test func contractionsReadTransposedOperandsAndWriteTransposedResults() {
        let w = TensorType(.f64, [4, 3])
        #expect(
            text([m, w]) { b, x in b.transpose(b.matmul(x[0], b.transpose(x[1], [1, 0])), [1, 0]) }
                == ["%2 = dot_general %x1, %x0 {contracting = [1] x [1]} : f64[4,2]", "return y = %2"])
    }

    @Test func constantsAreFolded() {
        #expect(
            text([]) { b, _ in
                b.exponential(
                    b.multiply(b.constant(Tensor(TensorType(.f64, [2]), [0, 0])), b.constant(3, TensorType(.f64, [2]))))
            } == ["%0 = constant {1.0} : f64[2]", "return y = %0"])
    }

    @Test func anUpdateTakesItsGradientUnstored() {
        let b = GraphBuilder()
        let p = b.input("p", TensorType(.f32, [4, 3]))
        let (d, x) = (b.input("d", TensorType(.f32, [2, 4])), b.input("x", TensorType(.f32, [2, 3])))
        let rate = b.input("rate", TensorType(.f32))
        let gradient = b.dot(d, x, contracting: ([0], [0]))
        let step = b.multiply(b.broadcast(rate, to: [4, 3]), gradient)
        let graph = b.build(outputs: [("next", b.subtract(p, step))]).optimized()
        #expect(
            graph.description == """
                graph(%p: f32[4,3], %d: f32[2,4], %x: f32[2,3], %rate: f32[]) {
                    %4 = negate %rate : f32[]
                    %5 = accumulate_dot %d, %x, %p, %4 {contracting = [0] x [0]} : f32[4,3]
                    return next = %5
                }
                """)
    }

    @Test func aRegionIsWalkedOnceAndReadsABiasAsAVector() {
        let b = GraphBuilder()
        let (z, bias) = (b.input("z", TensorType(.f32, [2, 4])), b.input("bias", TensorType(.f32, [4])))
        let h = b.relu(b.add(z, b.broadcast(bias, to: [2, 4])))
        #expect(
            b.build(outputs: [("h", h)]).optimized().description == """
                graph(%z: f32[2,4], %bias: f32[4]) {
                    %2 = fusion %z, %bias graph(%p0: f32[2,4], %p1: f32[4]) {
                        %2 = broadcast_in_dim %p1 {dims = [1]} : f32[2,4]
                        %3 = add %p0, %2 : f32[2,4]
                        %4 = constant {0.0} : f32[2,4]
                        %5 = maximum %3, %4 : f32[2,4]
                        return r0 = %5
                    } : f32[2,4]
                    return h = %2
                }
                """)
    }

    @Test func transformationsUnderstandWhatLatePassesMade() throws {
        let network = Network(widths: [5, 4, 3], activation: .tanh)
        let loss = try network.batchBySample(2)
        var random = SplitMix(9)
        let inputs = random.tensors(for: loss)
        let plain = try vjp(loss, of: "loss", withRespectTo: network.parameterNames)
        let late = try vjp(loss.optimized(), of: "loss", withRespectTo: network.parameterNames)
        #expect(distance(try Interpreter.run(plain, inputs), try Interpreter.run(late, inputs)) < 1e-12)
    }

    @Test func aLinearPartKeepsEachValueOnce() throws {
        let network = Network(widths: [20, 15, 12, 4])
        let names = network.parameterNames
        let gradient = try vjp(network.batchBySample(6), of: "loss", withRespectTo: names)
            .selecting(outputs: names.map { $0 + ".gradient" })
        let split = try linearize(gradient, withRespectTo: names)
        // W₂, W₃; x, x₁, x₂; two masks; Δ₂, Δ₃. (The loss and the activation have no second derivative to keep.)
        #expect(split.residuals.count == 9, "\(split.linear)")
    }

    @Test func partsOfPartsAreReadAtOnce() {
        #expect(
            text([m]) { b, x in b.slice(x[0], axis: 1, from: 0, to: 3, stride: 4) }
                == ["%1 = slice %x0 {[0:2, 0:1]} : f64[2,1]", "return y = %1"])
        #expect(
            text([m]) { b, x in b.emit(Slice(starts: [0, 0], limits: [2, 3], strides: [1, 1]), x[0]) } == [
                "return y = %x0"
            ])
        let v = TensorType(.f64, [20])
        #expect(
            text([v]) { b, x in
                b.slice(b.slice(x[0], axis: 0, from: 2, to: 20, stride: 3), axis: 0, from: 1, to: 5, stride: 2)
            } == ["%1 = slice %x0 {[5:12:6]} : f64[2]", "return y = %1"])
        #expect(
            text([m, m]) { b, x in b.slice(b.concatenate([x[0], x[1]], axis: 1), axis: 1, from: 4, to: 6) }
                == ["%2 = slice %x1 {[0:2, 1:3]} : f64[2,2]", "return y = %2"])
        #expect(
            text([m]) { b, x in b.slice(b.reverse(x[0], dimensions: [1]), axis: 1, from: 0, to: 2) }
                == [
                    "%1 = slice %x0 {[0:2, 1:3]} : f64[2,2]", "%2 = reverse %1 {dims = [1]} : f64[2,2]",
                    "return y = %2",
                ])
        #expect(
            text([m]) { b, x in b.slice(b.broadcast(x[0], to: [4, 2, 3]), starts: [1, 0, 0], limits: [3, 2, 2]) }
                == [
                    "%1 = slice %x0 {[0:2, 0:2]} : f64[2,2]", "%2 = broadcast_in_dim %1 {dims = [1, 2]} : f64[2,2,2]",
                    "return y = %2",
                ])
    }

    @Test func aPartOfAPaddedTensorIsAPartOfTheTensorOrOfThePadding() {
        func padded(_ b: GraphBuilder, _ x: Value) -> Value {
            b.pad(x, low: [0, 2], high: [0, 1], interior: [0, 1], value: 7)
        }
        #expect(
            text([m]) { b, x in b.slice(padded(b, x[0]), axis: 1, from: 4, to: 7, stride: 2) }
                == ["%1 = slice %x0 {[0:2, 1:3]} : f64[2,2]", "return y = %1"])
        #expect(
            text([m]) { b, x in b.slice(padded(b, x[0]), axis: 1, from: 0, to: 2) }
                == ["%1 = constant {7.0} : f64[2,2]", "return y = %1"])
        #expect(
            text([m]) { b, x in b.slice(padded(b, x[0]), axis: 1, from: 1, to: 6) }
                == [
                    "%1 = pad %x0 {low = [0, 1], high = [0, -1], interior = [0, 1], value = 7.0} : f64[2,5]",
                    "return y = %1",
                ])
    }

    @Test func padsThatFollowEachOtherAreOne() {
        #expect(
            text([m]) { b, x in b.pad(b.pad(x[0], low: [1, 0], high: [0, 2]), low: [2, -1], high: [0, -1]) }
                == ["%1 = pad %x0 {low = [3, -1], high = [0, 1]} : f64[5,3]", "return y = %1"])
        // What was taken away is not brought back.
        #expect(
            text([m]) { b, x in b.pad(b.pad(x[0], axis: 1, low: -1, high: 0), axis: 1, low: 1, high: 0) }
                == [
                    "%1 = slice %x0 {[0:2, 1:3]} : f64[2,2]", "%2 = pad %1 {low = [0, 1], high = [0, 0]} : f64[2,3]",
                    "return y = %2",
                ])
        #expect(text([m]) { b, x in b.pad(b.zeros(like: x[0]), low: [1, 0], high: [0, 0]) }.count == 2)
        #expect(
            text([m]) { b, x in b.sum(b.pad(x[0], low: [1, 1], high: [0, 1]), dimensions: [0]) }
                == [
                    "%1 = reduce_sum %x0 {dims = [0]} : f64[3]", "%2 = pad %1 {low = [1], high = [1]} : f64[5]",
                    "return y = %2",
                ])
    }

    @Test func whatWasTakenApartAndPutTogetherIsItself() {
        #expect(
            text([m]) { b, x in
                let (head, tail) = (b.slice(x[0], axis: 1, from: 0, to: 1), b.slice(x[0], axis: 1, from: 1, to: 3))
                return b.concatenate([b.concatenate([head], axis: 1), tail], axis: 1)
            } == ["return y = %x0"])
        #expect(
            text([m, m, m]) { b, x in b.concatenate([b.concatenate([x[0], x[1]], axis: 0), x[2]], axis: 0) }
                == ["%3 = concatenate %x0, %x1, %x2 {axis = 0} : f64[6,3]", "return y = %3"])
        #expect(
            text([m]) { b, x in b.concatenate([b.zeros(like: x[0]), x[0]], axis: 0) }
                == ["%1 = pad %x0 {low = [2, 0], high = [0, 0]} : f64[4,3]", "return y = %1"])
        #expect(
            text([m]) { b, x in b.reverse(b.reverse(x[0], dimensions: [0, 1]), dimensions: [1, 0]) } == [
                "return y = %x0"
            ])
    }

    /// The gradient of a tensor whose parts are used apart is put together, not added up.
    @Test func theGradientOfPartsIsAConcatenation() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [6, 2]))
        var sum = b.constant(0, TensorType(.f64))
        for part in 0..<3 {
            let piece = b.slice(x, axis: 0, from: 2 * part, to: 2 * part + 2)
            sum = b.add(sum, b.inner(b.tanh(piece), b.constant(Double(part + 1), TensorType(.f64, [2, 2]))))
        }
        let gradient = try vjp(b.build(outputs: [("f", sum)]), of: "f", withRespectTo: ["x"])
            .selecting(outputs: ["x.gradient"]).simplified()
        let mnemonics = gradient.nodes.map(\.operation.mnemonic)
        #expect(mnemonics.last == "concatenate" && !mnemonics.contains("pad"), "\(gradient)")
        #expect(gradient.nodes.last?.operands.count == 3)
    }

    @Test func rowsWhoseNumbersAreKnownAreParts() {
        func numbers(_ b: GraphBuilder, _ values: [Double]) -> Value {
            b.constant(Tensor(TensorType(.i32, [values.count]), values))
        }
        let table = TensorType(.f64, [9, 2])
        #expect(
            text([table]) { b, x in b.gather(x[0], numbers(b, [1, 3, 5])) }
                == ["%1 = slice %x0 {[1:6:2, 0:2]} : f64[3,2]", "return y = %1"])
        #expect(text([table]) { b, x in b.gather(x[0], numbers(b, [3, 1, 5])) }.count == 3)
        #expect(
            text([table]) { b, x in b.gather(x[0], b.constant(4, TensorType(.i32))) }
                == ["%1 = slice %x0 {[4:5, 0:2]} : f64[1,2]", "%2 = reshape %1 : f64[2]", "return y = %2"])
        #expect(
            text([TensorType(.f64, [3, 2])]) { b, x in b.scatterAdd(numbers(b, [1, 3, 5]), x[0], rows: 7) }
                == ["%1 = pad %x0 {low = [1, 0], high = [1, 0], interior = [1, 0]} : f64[7,2]", "return y = %1"])
    }

    @Test func theSumOfEachSamplesRowsIsOneScatter() {
        let types = [TensorType(.i32, [4, 5]), TensorType(.f64, [4, 5, 2])]
        #expect(
            text(types) { b, x in b.sum(b.scatterAdd(x[0], x[1], rows: 9, batch: 1), dimensions: [0]) }
                == ["%2 = scatter_add %x0, %x1 {rows = 9} : f64[9,2]", "return y = %2"])
    }
}
