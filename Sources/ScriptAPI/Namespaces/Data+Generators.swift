import Datasets
import LuaBridge

/// `eoss.data`: generated samples.
extension ScriptHost {
    func addGenerators(to data: Namespace) {
        data.function(
            "chebyshev", "n points in [-1, 1] and the Chebyshev polynomial of a degree there.",
            options: [
                Parameter("degree", .integer(.nonNegative), "The polynomial's degree."),
                Parameter("n", .integer(.positive), "How many points."),
            ], results: Self.dataset
        ) { call in DatasetObject(try .chebyshev(degree: call.get("degree"), n: call.get("n"))) }
        data.function(
            "sorting",
            "Tokens to be sorted, as next-token prediction: the central-flows task. Places before the answer are masked.",
            options: [
                Parameter("n", .integer(.positive), default: 1000, "How many training samples."),
                Parameter("test_n", .integer(.nonNegative), default: 1000, "How many test samples."),
                Parameter("vocabulary", .integer(.positive), default: 4, "How many different tokens."),
                Parameter(
                    "length", .integer(.positive), default: 8, "How many are sorted; a sample has 2·length − 1 places."),
                .seed,
            ], results: Self.dataset
        ) { call in
            DatasetObject(
                try .sorting(
                    n: call.get("n"), testCount: call.get("test_n"), vocabulary: call.get("vocabulary"),
                    length: call.get("length"), seed: call.seed()))
        }
        data.function(
            "teacher_student", "Standard normal inputs and what a random network makes of them.",
            options: [
                Parameter("n", .integer(.positive), "How many training samples."), Self.testCount,
                Parameter("inputs", .integer(.positive), "The dimension of the inputs."),
                Parameter("outputs", .integer(.positive), default: 1, "The teacher's outputs."),
                Parameter("hidden", .list(of: .integer(.positive)), default: [10], "The teacher's hidden widths."),
                Parameter(
                    "activation", .choice(TeacherActivation.allCases.map(\.rawValue)), default: "tanh", "The teacher's."
                ),
                Parameter(
                    "noise", .number(.nonNegative), default: 0.0, "The deviation of noise on the training targets."),
                .seed,
            ], results: Self.dataset
        ) { call in
            var options = TeacherOptions(n: try call.get("n"), inputs: try call.get("inputs"))
            options.testCount = try call.get("test_n")
            options.outputs = try call.get("outputs")
            options.hidden = try call.get("hidden")
            options.activation = try call.choice("activation")
            options.noise = try call.get("noise")
            options.seed = try call.seed()
            return DatasetObject(try .teacherStudent(options))
        }
        data.function(
            "gaussian_mixture", "Classes of normal samples around means, the corners of a simplex by default.",
            options: [
                Parameter("n", .integer(.positive), "How many training samples, of all classes."), Self.testCount,
                Parameter("classes", .integer(.positive), default: 2, "How many classes."),
                Parameter("d", .integer(.positive), default: 2, "The dimension of the inputs."),
                Parameter("separation", .number(.nonNegative), default: 2.0, "The distance of any two means."),
                Parameter("std", .number(.nonNegative), default: 1.0, "The deviation around a mean."),
                .optional(
                    "means", LuaType.object("array").or(.table),
                    "The means, classes × d, instead of classes, d and separation."
                ), Self.labelNoise, .seed,
            ], results: Self.dataset
        ) { call in
            let means = try call.has("means") ? try ArrayObject.spelled(by: call.value("means"), "means") : nil
            return DatasetObject(
                try .gaussianMixture(
                    n: call.get("n"), testCount: call.get("test_n"), classes: call.get("classes"),
                    dimension: call.get("d"), separation: call.get("separation"), std: call.get("std"), means: means,
                    labelNoise: call.get("label_noise"), seed: call.seed()))
        }
        data.function(
            "orthogonal",
            "n orthonormal inputs of dimension d, each its own target: for the single-neuron autoencoder.",
            options: [
                Parameter("n", .integer(.positive), "How many; at most d."),
                Parameter("d", .integer(.positive), "The dimension."), .seed,
            ], results: Self.dataset
        ) { call in DatasetObject(try .orthogonal(n: call.get("n"), dimension: call.get("d"), seed: call.seed())) }
        data.function(
            "deep_linear", "Cohen's data of the deep linear network: X = √n·Q with orthonormal columns, Y = XAᵀ.",
            options: [
                Parameter("n", .integer(.positive), default: 50, "How many samples; at least d."),
                Parameter("d", .integer(.positive), default: 50, "The dimension of the inputs."),
                .optional("outputs", .integer(.positive), "The dimension of the targets; d by default."), .seed,
            ], results: Self.dataset
        ) { call in
            DatasetObject(
                try .deepLinear(
                    n: call.get("n"), dimension: call.get("d"), outputs: call.get("outputs"), seed: call.seed()))
        }
    }
}
