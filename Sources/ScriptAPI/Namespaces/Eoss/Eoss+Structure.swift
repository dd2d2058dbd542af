import Graph
import LuaBridge
import Networks

/// Functions that take tensors apart and put them together. Axes and places count from 1, as everywhere in scripts.
extension ScriptHost {
    func addStructure(to eoss: Namespace) {
        let axis = Parameter("axis", .integer(.positive), "The axis, from 1.")
        eoss.function(
            "slice", "The places from … to (both included) of one axis.",
            parameters: [
                Self.x, axis, Parameter("from", .integer(.positive), "The first place, from 1."),
                Parameter("to", .integer(.positive), "The last place that may be taken."),
                Parameter("stride", .integer(.positive), default: 1, "Every so many places."),
            ], results: Self.tensor
        ) { call in
            let (axis, from, to): (Int, Int, Int) = (try call.get("axis"), try call.get("from"), try call.get("to"))
            let stride: Int = try call.get("stride")
            return try call.get("x", as: TensorObject.self).map { x in
                try x.checkPlaces(axis, from, to)
                return try x.slice(axis: axis - 1, from: from - 1, to: to, stride: stride)
            }
        }
        eoss.function(
            "at", "One place of an axis, which disappears.",
            parameters: [
                Self.x, Parameter("place", .integer(.positive), "The place, from 1."),
                Parameter("axis", .integer(.positive), default: 1, "The axis, from 1."),
            ], results: Self.tensor
        ) { call in
            let (place, axis): (Int, Int) = (try call.get("place"), try call.get("axis"))
            return try call.get("x", as: TensorObject.self).map { x in
                try x.checkPlaces(axis, place, place)
                return try x.at(place - 1, axis: axis - 1)
            }
        }
        eoss.function(
            "concat", "Tensors one after the other along an axis.",
            parameters: [
                Parameter("tensors", .list(of: .object("tensor")), "The tensors; their other axes agree."),
                Parameter("axis", .integer(.positive), default: 1, "The axis, from 1."),
            ], results: Self.tensor
        ) { call in
            let axis: Int = try call.get("axis")
            return try TensorObject.combined(tensors(call), "eoss.concat") {
                try Symbolic.concatenated($0, axis: axis - 1)
            }
        }
        eoss.function(
            "stack", "Tensors of one shape along a new axis.",
            parameters: [
                Parameter("tensors", .list(of: .object("tensor")), "The tensors."),
                Parameter("axis", .integer(.positive), default: 1, "Where the new axis stands, from 1."),
            ], results: Self.tensor
        ) { call in
            let axis: Int = try call.get("axis")
            return try TensorObject.combined(tensors(call), "eoss.stack") { try Symbolic.stacked($0, axis: axis - 1) }
        }
        eoss.function(
            "pad", "A number put before and after the elements of each axis.",
            parameters: [
                Self.x, Parameter("low", .list(of: .integer), "How many before, for each axis; negative: taken away."),
                Parameter("high", .list(of: .integer), "How many after."),
                Parameter("value", .number, default: 0.0, "The number."),
            ], results: Self.tensor
        ) { call in
            let (low, high): ([Int], [Int]) = (try call.get("low"), try call.get("high"))
            let value: Double = try call.get("value")
            return try call.get("x", as: TensorObject.self).map { try $0.padded(low: low, high: high, value: value) }
        }
        eoss.function(
            "flatten", "The elements as one axis, or the axes from one on as one.",
            parameters: [
                Self.x, Parameter("from", .integer(.positive), default: 1, "The first of those axes, from 1."),
            ],
            results: Self.tensor
        ) { call in
            let from: Int = try call.get("from")
            return try call.get("x", as: TensorObject.self).map { try $0.flattened(from: from - 1) }
        }
        addIndexing(to: eoss)
        addMatrices(to: eoss)
    }

    private func addIndexing(to eoss: Namespace) {
        eoss.function(
            "embedding", "Rows of a table by whole numbers from 0: [n, …] and [k…] give [k…, …].",
            parameters: [
                Parameter("table", .object("tensor"), "The rows along the first axis."),
                Parameter(
                    "indices", .object("tensor"),
                    "Which rows, from 0, as tokens are; one outside is taken as the nearest inside."),
            ], results: Self.tensor
        ) { call in
            try call.get("table", as: TensorObject.self).combined(call.get("indices")) { try $0.gathered($1) }
        }
        eoss.function(
            "one_hot", "1 at the place that a whole number from 0 names, else 0: [k…] gives [k…, n].",
            parameters: [
                Parameter("indices", .object("tensor"), "Whole numbers from 0."),
                Parameter("n", .integer(.positive), "How many places."),
            ], results: Self.tensor
        ) { call in
            let n: Int = try call.get("n")
            return try call.get("indices", as: TensorObject.self).map { try $0.oneHot(n) }
        }
        eoss.function(
            "scatter_add",
            "Rows added into a table of zeros at the places that whole numbers from 0 name: [k, …] gives [n, …].",
            parameters: [
                Parameter("rows", .object("tensor"), "The rows along the first axis."),
                Parameter("indices", .object("tensor"), "Where each is added, from 0."),
                Parameter("n", .integer(.positive), "How many rows the result has."),
            ], results: Self.tensor
        ) { call in
            let n: Int = try call.get("n")
            return try call.get("rows", as: TensorObject.self).combined(call.get("indices")) {
                try $0.scattered(to: $1, rows: n)
            }
        }
    }

    private func addMatrices(to eoss: Namespace) {
        eoss.function(
            "matmul", "The product of matrices, for each place of the axes before: […, i, k]·[…, k, j] is […, i, j].",
            parameters: [
                Parameter("a", .object("tensor"), "The left factor."),
                Parameter("b", .object("tensor"), "The right factor."),
            ], results: Self.tensor
        ) { call in
            try call.get("a", as: TensorObject.self).combined(call.get("b")) { try $0.matmul($1) }
        }
        eoss.function(
            "linear", "W·x + b for each vector of the last axis: […, inputs] and [outputs, inputs] give […, outputs].",
            parameters: [
                Self.x, Parameter("weight", .object("tensor"), "W, [outputs, inputs]."),
                .optional("bias", .object("tensor"), "b, [outputs]."),
            ], results: Self.tensor
        ) { call in
            let product = try call.get("x", as: TensorObject.self).combined(call.get("weight")) {
                try $0.projected(by: $1)
            }
            guard let bias: TensorObject = try call.get("bias", as: TensorObject?.self) else { return product }
            return try product.combined(bias) { try $0 + $1 }
        }
    }
}

/// The list `tensors` of a call.
private func tensors(_ call: borrowing LuaCall) throws -> [TensorObject] { try call.get("tensors") }

extension Symbolic {
    /// Throws in the script's count, from 1.
    fileprivate func checkPlaces(_ axis: Int, _ from: Int, _ to: Int) throws {
        guard shape.indices.contains(axis - 1) else {
            throw ArgumentError("axis \(axis) of a tensor of shape \(shape): it has \(shape.count) axes")
        }
        guard from <= to, to <= shape[axis - 1] else {
            throw ArgumentError(
                "places \(from) to \(to) of axis \(axis) of a tensor of shape \(shape): it has places 1 to \(shape[axis - 1])"
            )
        }
    }
}
