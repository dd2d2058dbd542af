import LuaBridge
import Testing

@testable import ScriptAPI

/// What somebody writes who comes from another library is answered by what it is called here.
@Suite struct OtherNamesTests {
    @Test(arguments: [
        ("eoss.nn.mlp{ inputs = 1, outputs = 1, activation = 'swish' }", "activation = \"silu\""),
        (
            "eoss.run{ model = eoss.nn.mlp{ inputs = 1, outputs = 1 }, data = eoss.data.chebyshev{ degree = 3, n = 20 }, loss = 'cross_entropy', optimizer = eoss.optim.sgd{ lr = 1 } }",
            "loss = \"ce\""
        ),
        ("eoss.optim.sgd{ lr = 1, momentum = 0.9 }", "eoss.optim.momentum{ lr = …, beta = … }"),
        ("eoss.optim.sgd{ learning_rate = 1 }", "'learning_rate' is 'lr' here"),
        ("eoss.optim.adam{ lr = 1, betas = { 0.9, 0.99 } }", "beta1 and beta2"),
        ("eoss.nn.mlp{ inputs = 1, outputs = 1 }:save('x.pt')", "safetensors.torch.load_file"),
        ("eoss.nn.mlp{ inputs = 1, outputs = 1 }:state_dict()", "net:save(\"x.safetensors\")"),
        ("io.open('x')", "eoss run --trust lifts it"), ("os.execute('ls')", "eoss run --trust lifts it"),
        ("softmax(1)", "undefined global 'softmax': a softmax before the loss is part of loss = \"ce\""),
        ("exit()", "Ctrl-D leaves the prompt"), ("local x = None", "Lua's None is nil"), ("len({})", "#x"),
        ("os.exit(1)", "a script ends by return"),
        ("eoss.run{ epochs = 3 }", "run:train{ epochs = n }"),
    ])
    func theErrorSaysWhatItIsCalledHere(_ script: String, _ hint: String) throws {
        let host = try ScriptHost()
        guard case .failed(let message) = host.evaluate(script) else {
            Issue.record("'\(script)' did not fail")
            return
        }
        #expect(message.contains(hint), "\(message)")
    }

    @Test func helpKnowsThemToo() throws {
        #expect(try ScriptHost().help(named: "swish").contains("silu"))
        #expect(throws: ArgumentError.self) { try ScriptHost().help(named: "lambda_mx") }
    }
}
