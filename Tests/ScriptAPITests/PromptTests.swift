import Foundation
import Objectives
import Testing

@testable import ScriptAPI

/// What is typed at a prompt, and scripts as editors and shells leave them.
@Suite struct PromptTests {
    /// A loop without end costs its own line, not the session.
    @Test func aRunawayLineLeavesThePromptAlive() throws {
        let lab = try Laboratory()
        let impatient: (inout ScriptOptions) -> Void = { $0.patience = 0.1 }
        try lab.host(impatient) { host in
            guard case .failed(let message) = host.evaluate("while true do end") else {
                Issue.record("the loop ended by itself")
                return
            }
            #expect(message.contains("a loop without end?"))
            #expect(host.interrupt.stopReason == nil)
            #expect(host.evaluate("1 + 1") == .done("2"))
        }
    }

    /// A stop that comes while a line ends is not one for the next line.
    @Test func aStopThatComesTooLateIsForgotten() throws {
        let lab = try Laboratory()
        var stop: () -> Void = {}
        let stopping: (inout ScriptOptions) -> Void = { $0.print = { _ in stop() } }
        try lab.host(stopping) { host in
            let interrupt = host.interrupt
            stop = { interrupt.requestStop() }
            _ = host.evaluate("print(1)")
            #expect(host.interrupt.stopReason == nil)
            #expect(host.evaluate("1 + 1") == .done("2"))
        }
    }

    @Test func aByteOrderMarkAndALineForTheShellAreSkipped() throws {
        for start in ["\u{FEFF}", "#!/usr/bin/env eoss\n", "\u{FEFF}#!/usr/bin/env eoss\n"] {
            let lab = try Laboratory()
            try lab.run(start + "print(1)")
            #expect(lab.printed == ["1"])
        }
    }

    @Test func aScriptThatCannotBeReadIsNamedWithTheReason() throws {
        let lab = try Laboratory()
        try lab.host { host in
            for (name, reason) in [("none.lua", "there is no such file"), ("", "it is a folder")] {
                do {
                    try host.run(file: lab.folder.appendingPathComponent(name))
                    Issue.record("it was read")
                } catch {
                    #expect("\(error)".hasPrefix("cannot read the script '"))
                    #expect("\(error)".hasSuffix("': \(reason)"))
                }
            }
        }
    }

    @Test(arguments: [
        ("inputs = {}, labels = {}", "'inputs' holds no numbers"),
        (
            "inputs = { array = eoss.arrays.from{ 1, 2 } }, labels = { 0, 1 }",
            "'inputs': a table of arrays; name one of them, its field 'array', say"
        ),
        (
            "inputs = { 1, 2 }, labels = { 0, 1.5 }",
            "labels: sample 2 has the label 1.5; classes are whole numbers from 0, and -1 leaves a "
                + "sample out"
        ),
    ])
    func dataThatAreNoneSayWhy(options: String, message: String) throws {
        #expect(try Laboratory().failure(of: "eoss.data.arrays{ \(options) }") == "test.lua:1: " + message)
    }
}

/// What the prompt shows of a value alone in a line.
@Suite struct PromptViewTests {
    private func shown(_ lines: [String], width: Int = 80) throws -> [String] {
        let lab = try Laboratory()
        let narrowed: (inout ScriptOptions) -> Void = { $0.width = { width } }
        return try lab.host(narrowed) { host in
            try lines.map { line in
                guard case .done(let text) = host.evaluate(line) else {
                    Issue.record("\(line)")
                    throw CocoaError(.featureUnsupported)
                }
                return text ?? ""
            }
        }
    }

    private static let making = [
        "data = eoss.data.chebyshev{ degree = 3, n = 20 }",
        "net = eoss.nn.mlp{ inputs = 1, hidden = {60, 5}, outputs = 1, activation = 'tanh', seed = 1, dtype = 'f64' }",
        "run = eoss.run{ model = net, data = data, loss = 'mse', optimizer = eoss.optim.sgd{ lr = 0.02 }, batch_size = 4 }",
    ]

    @Test func aNetworkIsATableOfItsLayersWithTheShapesOfTheirParameters() throws {
        let text = try #require(try shown(Self.making + ["net"]).last)
        let lines = text.split(separator: "\n")
        #expect(lines[0] == "mlp 1-60-5-1: 431 parameters in f64")
        #expect(lines[1].split(separator: " ") == ["layer", "kind", "output", "parameters", "shapes"])
        #expect(lines.contains { $0.contains("layers.1") && $0.hasSuffix("305  weight 5×60, bias 5") }, "\(text)")
        #expect(lines.allSatisfy { $0.count <= 80 })
        let narrow = try #require(try shown(Self.making + ["net"], width: 40).last)
        #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= 40 } && !narrow.contains("shapes"), "\(narrow)")
        let module = try #require(
            try shown([
                "eoss.nn.module{ inputs = 8, params = { w = { shape = {8}, init = eoss.init.normal{ std = 0.1 } } }, "
                    + "forward = function(x, p) return eoss.relu(eoss.dot(p.w, x)) * p.w end }"
            ]).last)
        #expect(module.contains("w          8          8"), "\(module)")
    }

    @Test func aLongNetworkIsShownByItsEnds() throws {
        let layers = Array(repeating: "eoss.nn.linear(4, 4)", count: 60).joined(separator: ", ")
        let text = try #require(try shown(["eoss.nn.sequential{ \(layers) }"]).last)
        #expect(text.split(separator: "\n").count == 25 && text.contains("… ") && text.contains("  59 "), "\(text)")
    }

    @Test func anOperatorSaysWhatItIsHowLargeAndWhatItCosts() throws {
        let texts = try shown(
            Self.making + ["H = run:hessian()", "H", "G = H * run.params", "H", "(2 * H):restrict('layers.1')"])
        #expect(
            texts[4].hasPrefix("hessian of dimension 431 (f64)\n  acts on   6 tensors: layers.0.weight, "),
            "\(texts[4])")
        #expect(texts[4].contains("\n  samples   20\n") && texts[4].hasSuffix("\n  products  0"), "\(texts[4])")
        #expect(texts[6].contains(/\n  products  1, [\d.e+]+ multiply-adds each$/), "\(texts[6])")
        #expect(texts[7].contains("acts on   2 tensors: layers.1.weight, layers.1.bias"), "\(texts[7])")
        #expect(texts.suffix(4).allSatisfy { $0.split(separator: "\n").allSatisfy { $0.count <= 80 } })
    }

    @Test func anEstimateShowsItsErrorItsCostAndHowItCameToItsValue() throws {
        let texts = try shown(
            Self.making + [
                "run:measure('batch_sharpness', { batch_size = 4, max_samples = 64, rel_error = 0 })",
                "run:hessian():trace{ samples = 40 }", "run:hessian():frobenius{ samples = 40 }",
                "run:measure('lambda_max', { k = 3 })", "run:measure('loss')",
            ])
        for text in texts[3...5] {
            let lines = text.split(separator: "\n")
            #expect(lines[0].contains(" = ") && lines[0].contains(" ± "), "\(text)")
            #expect(
                text.contains("95 % interval  ") && text.contains(" to ") && text.contains(/took +\d+ samples/),
                "\(text)")
            #expect(lines.last?.contains(/running value  [▁▂▃▄▅▆▇█]{40}  [-\d.e+]+ to [-\d]/) == true, "\(text)")
        }
        #expect(texts[6].contains(/lambda_max_3 +[-\d.e+]+ +[\d.e-]+/) && texts[6].contains(" products"), "\(texts[6])")
        #expect(!texts[7].contains("running") && !texts[7].contains("interval"), "\(texts[7])")
        #expect(texts.allSatisfy { $0.split(separator: "\n").allSatisfy { $0.count <= 80 } })
    }

    /// A line of a table, or of a list, keeps the short form.
    @Test func whatStandsInATableIsOneLine() throws {
        let text = try #require(
            try shown(Self.making + ["{ run:hessian(), run:hessian():trace{ samples = 20 } }"]).last)
        #expect(!text.contains("\n"))
    }
}
