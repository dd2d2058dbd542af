import Testing

@testable import ScriptAPI

/// Data as scripts ask for them.
@Suite struct DataScriptTests {
    @Test(arguments: [
        "local d = eoss.data.teacher_student{ n = 20, test_n = 5, inputs = 3, outputs = 2, noise = 0.1 }; assert(#d == 20 and d.test_n == 5)",
        "local d = eoss.data.gaussian_mixture{ n = 20, classes = 3, d = 4 }; assert(d.outputs == 3 and d.truth.means:shape()[2] == 4)",
        "local d = eoss.data.gaussian_mixture{ n = 4, means = { {1, 0}, {0, 1} } }; assert(d.outputs == 2 and d.inputs == 2)",
        "local d = eoss.data.orthogonal{ n = 3, d = 5 }; assert(d.n == 3 and d.inputs == 5)",
        "local d = eoss.data.deep_linear(); assert(d.n == 50 and d.inputs == 50 and d.outputs == 50)",
        "local d = eoss.data.sorting(); assert(d.n == 1000 and d.vocabulary == 4 and d.inputs == 15)",
        """
        local d = eoss.data.gaussian_mixture{ n = 30, classes = 3, test_n = 6 }
        local s = d:subset{ per_class = 2, classes = {2, 0}, seed = 4 }
        assert(s.n == 4 and s.outputs == 2 and d.n == 30)
        local t = d:split{ test = 0.2 }; assert(t.n == 24 and t.test_n == 6)
        assert(d:describe():find("class 0 10", 1, true) and tostring(d):find("30 training samples", 1, true))
        """,
        """
        local d = eoss.data.gaussian_mixture{ n = 6, classes = 3, d = 4, test_n = 3 }
        local a = d:arrays()
        assert(a.targets == nil and #a.labels == 6 and a.inputs:shape()[2] == 4 and #a.test_labels == 3)
        a.classes = 3
        local again = eoss.data.arrays(a)
        assert(again.n == 6 and again.test_n == 3 and again.outputs == 3)
        local b = again:arrays()
        assert(b.inputs == a.inputs and b.labels == a.labels and b.test_inputs == a.test_inputs and b.inputs.dtype == a.inputs.dtype)
        """,
        """
        local a = eoss.data.teacher_student{ n = 5, inputs = 3, outputs = 2 }:arrays()
        assert(a.labels == nil and a.test_inputs == nil and a.targets:shape()[2] == 2 and a.inputs.dtype == "f64")
        local halves = eoss.data.arrays{ inputs = { a.inputs[1], a.inputs[2] }, targets = { eoss.vector{ 1, 2 }, eoss.vector{ 3, 4 } } }:arrays()
        assert(#halves.inputs == 2 and halves.inputs[2] == a.inputs[2] and halves.targets[2][1] == 3)
        """,
        """
        local a = eoss.data.sorting{ n = 4, length = 3, vocabulary = 5 }:arrays()
        assert(a.inputs.dtype == "i32" and #a.inputs == 4 and #a.labels:shape() == 2 and a.labels:shape()[2] == a.inputs:shape()[2])
        local d = eoss.data.arrays{ inputs = a.inputs, labels = a.labels, vocabulary = 5 }
        assert(d.vocabulary == 5 and d:arrays().labels == a.labels)
        """,
        """
        local d = eoss.data.arrays{ inputs = { {0, 2}, {1, 1} }, labels = { {-1, 2}, {0, 1} }, vocabulary = 3 }
        assert(d.vocabulary == 3 and d.target_shape[1] == 2 and d.target_shape[2] == 3)
        """,
    ]) func dataAreWhatTheOptionsSay(_ script: String) throws {
        #expect(try Laboratory().failure(of: script) == nil)
    }

    @Test(arguments: [
        (
            "eoss.data.gaussian_mixture{ n = 10 }:subset{ n = 11 }",
            "n = 11, but gaussian_mixture has 10 training samples"
        ),
        ("eoss.data.gaussian_mixture{ n = 10 }:subset{ indices = {} }", "option 'indices' of data:subset is empty"),
        ("eoss.data.gaussian_mixture{ n = 10 }:subset{ n = 2, first = 3 }", "one of n, first, per_class and indices"),
        ("eoss.data.gaussian_mixture{ n = 10 }:subset{ classes = {2} }", "gaussian_mixture has the classes 0 to 1"),
        ("eoss.data.gaussian_mixture{ n = 10 }:split{}", "one of test_n and test"),
        ("eoss.data.arrays{ inputs = { {1, 0/0} }, targets = { 1 } }", "sample 1 holds"),
        (
            "eoss.data.arrays{ inputs = { {1}, {2} }, labels = { 0, 3 }, classes = 2 }",
            "has the label 3, and the classes are 0 to 1"
        ),
        ("eoss.data.arrays{ inputs = { {1}, {2} }, labels = { 0, 0.5 } }", "has the label 0.5"),
        ("eoss.data.arrays{ inputs = {}, targets = {} }", "holds no numbers"),
        (
            "eoss.data.arrays{ inputs = { eoss.vector{ 1, 2 }, eoss.vector{ 1 } }, targets = { 1, 2 } }",
            "'inputs': the arrays in it have different shapes"
        ),
        (
            "eoss.data.arrays{ inputs = { { 1, 2 }, eoss.vector{ 1 } }, targets = { 1, 2 } }",
            "'inputs': the arrays in it have different shapes"
        ),
        (
            "eoss.data.arrays{ inputs = { eoss.vector{ 1 }, { 1, 2 } }, targets = { 1, 2 } }",
            "'inputs': the tables in it have different lengths"
        ),
        ("eoss.data.cifar10{ path = 'nowhere' }", "no such file: 'nowhere'"),
        (
            "eoss.data.mnist{ standardize = 'central_flows' }",
            "expected 'subset' or 'cohen' or 'none', got 'central_flows'"
        ),
        ("eoss.data.orthogonal{ n = 6, d = 5 }", "n ≤ d"),
    ]) func badOptionsAreErrorsThatNameThem(_ script: String, _ word: String) throws {
        let failure = try #require(try Laboratory().failure(of: "local d = " + script))
        #expect(failure.contains(word), "\(failure)")
    }

    /// One logit for two classes, and sequences of labels, have an accuracy as well as one class a sample; outputs of
    /// another width have none.
    @Test func evaluationCountsWhatIsRight() throws {
        let failure = try Laboratory().failure(
            of: """
                local function make(data, net, loss)
                  return eoss.run{ model = net, data = data, loss = loss, optimizer = eoss.optim.sgd{ lr = 0.1 } }
                end
                local points = { {-2}, {-1}, {1}, {2} }
                local data = eoss.data.arrays{ inputs = points, labels = { 0, 1, 1, 1 } }
                local net = eoss.nn.module{ inputs = 1, params = { w = { shape = {1}, init = 1 } },
                                            forward = function(x, p) return p.w * x end }
                assert(make(data, net, "bce"):evaluate().accuracy == 0.75)
                local sequences = eoss.data.sorting{ n = 8, test_n = 2 }
                local run = make(sequences, eoss.nn.lstm{ vocabulary = 4, length = sequences.shape[1] }, "ce")
                assert(run:evaluate().accuracy == run.accuracy and run.accuracy <= 1)
                local wide = eoss.nn.mlp{ inputs = 1, hidden = {}, outputs = 3 }
                local other = make(data, wide, function(f, y) return eoss.sum(f) ^ 2 + eoss.sum(y) end)
                assert(other:evaluate().accuracy == nil)
                """)
        #expect(failure == nil)
    }
}
