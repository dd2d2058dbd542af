import Experiments
import Foundation
import Testing

@testable import ScriptAPI

/// Run files that a script opens, one or a folder of them, and compares.
@Suite struct OpenedRunScriptTests {
    private static let uses = [
        "contents": """
        local levels = require "levels"
        run:track("loss", { every = 1 })
        run:at(3, function(r) r.lr = 0.01 end)
        run:train{ to = 5 }
        run:plot("loss.svg", "loss")
        local fork = run:fork{ name = "twig", lr = 0.03 }
        fork:train{ to = 8 }
        local file, twig = eoss.open("small.eoss"), eoss.open("twig.eoss")
        assert(file.settings.optimizer == "sgd{ lr = 0.02 }" and file.settings.batch_size == "4")
        assert(#file.modules == 1 and file.modules[1].path == "stdlib/levels.lua" and file.modules[1].source:find("last_third"))
        assert(#file.notes == 0 and #file.figures == 1 and file.figures[1] == "loss.svg")
        file:save_figure("loss.svg", "copy/of.svg")
        local event = file.events[3]
        assert(event.kind == "lr" and event.data.to == 0.01 and event.time:match("^%d%d%d%d%-.*Z$"), event.kind)
        assert(twig.parent.name == "small" and twig.parent.step == 5 and twig.parent.uuid == file.uuid and file.parent == nil)
        assert(file:series("loss"):over(file:series("loss")):mean() == 1)
        """,
        "edges": """
        local function agree(run, path)
          local file = eoss.open(path)
          for _, name in ipairs{ "lambda_max", "own", "gradient_norm", "loss", "batch_sharpness", "preconditioned_lambda_max" } do
            local live, opened = { pcall(run.series, run, name) }, { pcall(file.series, file, name) }
            assert(live[1] == opened[1])
            for _, edge in ipairs{ "edge", "edge_lambda_max" } do
              local a, b = { pcall(run.series, run, edge) }, { pcall(file.series, file, edge) }
              assert(a[1] == b[1], edge)
              if live[1] and a[1] then
                local x, y = live[2]:over(a[2]), opened[2]:over(b[2])
                assert(#x == #y, name .. " over " .. edge)
                for i = 1, #x do
                  assert(x.values[i] == y.values[i] or x.values[i] ~= x.values[i] and y.values[i] ~= y.values[i], name .. " over " .. edge)
                end
              end
            end
            if live[1] then
              for _, relation in ipairs{ ">=", "<" } do
                local a, b = { pcall(run.first, run, name, relation, "edge") }, { pcall(file.first, file, name, relation, "edge") }
                assert(a[1] == b[1] and (not a[1] or a[2] == b[2]), name .. relation .. tostring(a[2]) .. tostring(b[2]))
              end
            end
          end
        end
        local function make(name, optimizer, edges)
          local r = eoss.run{ name = name, model = net, data = data, loss = "mse", optimizer = optimizer, batch_size = 4, seed = 1 }
          r:track({ "lambda_max", "loss" }, { every = 2 })
          if name == "adam" then r:track("preconditioned_lambda_max", { every = 2 }) end
          r:track("own", { every = 1, fn = function(r) return r.step end })
          if edges.plain then r:track("edge", { every = 3 }) end
          if edges.top then r:track("edge", { every = 3, of = "lambda_max" }) end
          r:train{ to = 7 }
          r.lr = 2 * r.lr
          r:train{ to = 14 }
          r:checkpoint()
          agree(r, name .. ".eoss")
          return r
        end
        local adam = make("adam", eoss.optim.adam{ lr = 0.01 }, { plain = true })
        local over = eoss.open("adam.eoss"):series("lambda_max"):over(eoss.open("adam.eoss"):series("edge"))
        assert(over.values[1] ~= over.values[1], "under adam the plain Hessian has no edge")
        local found, message = pcall(function() return eoss.open("adam.eoss"):first("lambda_max", ">=", "edge") end)
        assert(not found and tostring(message):find("no edge of lambda_max is known under adam"), tostring(message))
        make("sgd", eoss.optim.sgd{ lr = 0.02 }, { plain = true })
        make("named", eoss.optim.sgd{ lr = 0.02 }, { top = true })
        make("momentum", eoss.optim.momentum{ lr = 0.02 }, { plain = true, top = true })
        make("sam", eoss.optim.sam{ lr = 0.02, rho = 0.05 }, { plain = true, top = true })
        """,
        "comparison": """
        run:track("loss", { every = 1 })
        run:train{ to = 5 }
        local other = eoss.run{ name = "other", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.04 },
                                batch_size = 4, seed = 1 }
        other:track({ "loss", "edge" }, { every = 1 })
        other:train{ to = 5 }
        run:checkpoint()
        other:checkpoint()
        local a, b = eoss.open("small.eoss"), eoss.open("other.eoss")
        local c = a:compare(b)
        assert(not c.same and #c.script == 0 and next(c.parameters) == nil and next(c.environment) == nil)
        assert(c.settings.optimizer.a == "sgd{ lr = 0.02 }" and c.settings.optimizer.b == "sgd{ lr = 0.04 }")
        local loss = c.series.loss
        assert(loss.a == run:series("loss"):last() and loss.b == other:series("loss"):last())
        assert(loss.common == 6 and loss.first == 1)
        local largest = 0
        for i = 1, 6 do largest = math.max(largest, math.abs(a:series("loss").values[i] - b:series("loss").values[i])) end
        assert(loss.largest == largest and loss.step >= 1 and loss.relative > 0)
        assert(c.series.edge.a == nil and c.series.edge.b == 2 / 0.04 and c.series.edge.common == 0 and c.series.edge.first == nil)
        assert(tostring(c):find("optimizer  sgd{ lr = 0.02 }  sgd{ lr = 0.04 }", 1, true), tostring(c))
        assert(a:compare(a).same)
        """,
        "folder": """
        for i = 1, 3 do
          local r = eoss.run{ name = "r" .. i, model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.01 * i },
                              batch_size = 4, seed = 1 }
          r:track({ "loss", "edge" }, { every = 1 })
          r:train{ to = 2 * i }
          r:checkpoint()
        end
        run:train{ to = 1 }
        run:checkpoint()
        local runs, names = eoss.runs(), {}
        for i, r in ipairs(runs) do names[i] = r.name end
        assert(table.concat(names, " ") == "r1 r2 r3 small", table.concat(names, " "))
        assert(runs[3].step == 6 and runs[3].status == "running" and runs[3].last.edge == 2 / 0.03 and runs[3].last.none == nil)
        assert(runs[1].parameters.lr == nil and runs[1].error == nil and runs[1].age >= 0 and runs[1].script:find("test.lua"))
        assert(runs[4].last.loss == nil and tostring(runs[1]):find("run 'r1': running at step 2, loss 0.", 1, true), tostring(runs[1]))
        local found = eoss.runs{ where = "edge < 150 and state == running", sort = "edge" }
        assert(#found == 2 and found[1].name == "r3" and found[2].name == "r2")
        assert(eoss.runs(".", { sort = "step", reverse = true })[1].name == "r3")
        assert(#found[1]:open():series("loss") == 7)
        """,
    ]

    @Test(arguments: uses.keys.sorted()) func everyUse(_ name: String) throws {
        let laboratory = try Laboratory()
        let failure = try laboratory.failure(of: smallRun + (Self.uses[name] ?? ""))
        #expect(failure == nil, "\(name): \(failure ?? "")")
        if name == "contents" {
            let (kept, copy) = (laboratory.output.path + "/loss.svg", laboratory.output.path + "/copy/of.svg")
            #expect(FileManager.default.contentsEqual(atPath: kept, andPath: copy))
        }
    }

    @Test func oneMessageForEachMistake() throws {
        let mistakes = [
            ("eoss.runs('none')", "no such folder: 'none'"), ("eoss.runs('..')", "leads out of the folders"),
            ("eoss.runs('/tmp')", "is absolute"),
            ("eoss.runs{ where = 'lr >' }", "a name or a value is missing before the end, at character 5"),
            ("run:train{ to = 1 }; run:checkpoint(); eoss.runs{ where = 'lrr > 1' }", "no run here has 'lrr'"),
            ("eoss.runs{ sort = '1' }", "one name is needed"), ("eoss.runs{ were = 'x' }", "did you mean 'where'?"),
            (
                "run:train{ to = 1 }; run:checkpoint(); eoss.open('small.eoss'):save_figure('x.svg')",
                "'small' has no figure 'x.svg' (it has none)"
            ),
            ("run:train{ to = 1 }; run:checkpoint(); eoss.open('small.eoss'):compare(run)", "a runfile"),
        ]
        for (source, words) in mistakes {
            let failure = try Laboratory().failure(of: smallRun + source)
            #expect(failure?.contains(words) == true, "\(source): \(failure ?? "no error")")
        }
    }

    /// What cannot be read is an element with an error, and a link out of the folder leads nowhere.
    @Test func aFolderMayHoldAnything() throws {
        let laboratory = try Laboratory()
        let outside = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: outside) }
        let secret = try RunFile.create(name: "secret", in: outside)
        try secret.close()
        try FileManager.default.createDirectory(at: laboratory.output, withIntermediateDirectories: true)
        try laboratory.write("hello", to: "runs/text.eoss")
        try FileManager.default.createSymbolicLink(
            at: laboratory.output.appendingPathComponent("link.eoss"), withDestinationURL: secret.url)
        let source = """
            local runs = eoss.runs()
            for _, r in ipairs(runs) do print(r.name, r.status, r.error) end
            print(runs[1].last.loss, runs[1].parameters.lr, pcall(runs[2].open, runs[2]))
            """
        try laboratory.run(source)
        #expect(laboratory.printed.count == 3)
        #expect(laboratory.printed[0].hasPrefix("link\tnil\tcannot be read: './link.eoss' leads out of the folders"))
        #expect(laboratory.printed[1].hasPrefix("text\tnil\tnot a run file"))
        #expect(laboratory.printed[2].hasPrefix("nil\tnil\tfalse\t"))
        // A trusted script may go where its user may.
        try laboratory.run("print(eoss.runs()[1].status)") { $0.isTrusted = true }
        #expect(laboratory.printed.last == "done")
    }
}
