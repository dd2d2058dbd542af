import ArgumentParser
import Compute
import Foundation
import ScriptAPI

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Begin a project: a first experiment, and what an editor needs to complete its script.",
        discussion: """
            Files that are there are left as they are, but for the declarations in .eoss/, which belong to this version of eoss.
            """)

    @Argument(help: ArgumentHelp("Where.", valueName: "folder"), completion: .directory)
    var folder = "."

    func run() throws {
        let root = URL(fileURLWithPath: folder)
        let host = try ScriptHost()
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent(".eoss"), withIntermediateDirectories: true)
        try OutputFile.write(Data(host.stubs.utf8), to: root.appendingPathComponent(".eoss/eoss.lua").path)
        Console.writeOutput("wrote .eoss/eoss.lua: declarations for the Lua language server\n")
        for (name, text, what) in Self.files {
            let file = root.appendingPathComponent(name)
            if FileManager.default.fileExists(atPath: file.path) {
                Console.writeOutput("kept \(name), which is there\n")
                continue
            }
            try OutputFile.write(Data(text.utf8), to: file.path)
            Console.writeOutput("wrote \(name): \(what)\n")
        }
        let prefix = folder == "." ? "" : "cd \(folder) && "
        Console.writeOutput("\nBegin with: \(prefix)eoss run experiment.lua\n")
    }

    private static let files: [(name: String, text: String, what: String)] = [
        ("experiment.lua", experiment, "a first experiment, of a few seconds"),
        (".luarc.json", settings, "settings of the Lua language server"),
        (".gitignore", "runs/\n.eoss/\n", "what does not belong into a repository"),
    ]

    private static let settings = """
        {
          "runtime.version": "Lua 5.4",
          "workspace.library": [".eoss"],
          "workspace.checkThirdParty": false,
          "diagnostics.globals": ["eoss", "help", "time", "breakpoint", "continue", "reload"]
        }

        """

    private static let experiment = """
        -- Gradient descent drives the top Hessian eigenvalue up to 2/lr and holds it there: the edge of stability (Cohen et al. 2021).
        local p = eoss.params{ lr = 0.1, steps = 3000, seed = 1 }

        local data = eoss.data.chebyshev{ degree = 4, n = 40 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = { 32, 32 }, outputs = data.outputs, activation = "tanh",
                                 init_scale = 0.5, seed = p.seed }
        local run = eoss.run{ name = "first", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = p.lr },
                              batch_size = "full", seed = p.seed }

        run:track({ "loss", "lambda_max", "edge" }, { every = 20 })
        run:train{ to = p.steps }

        print("reached 2/lr at step", run:first("lambda_max", ">=", "edge"))
        print("mean of lambda_max over 2/lr, second half",
              run:series("lambda_max", { from = p.steps // 2 }):over(run:series("edge")):mean())
        run:plot("first.svg", { "loss", "lambda_max" })

        """
}
