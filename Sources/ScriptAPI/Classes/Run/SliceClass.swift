import Compute
import Datasets
import Experiments
import LuaBridge

/// What `run:slice` gives.
final class SliceObject: LuaObject {
    let slice: LossSlice
    /// Of which run, and at which step that stood.
    let runName: String
    let step: Int
    let makeVector: (Vector) -> VectorObject
    private(set) lazy var losses = Result { () throws -> ArrayObject in
        let shape = slice.axes.reversed().map(\.coordinates.count)
        return ArrayObject(try NDArray(slice.losses, shape: shape))
    }

    init(_ slice: LossSlice, of run: Run) {
        self.slice = slice
        runName = run.name
        step = run.step
        let layout = run.objective.model.layout
        makeVector = { VectorObject($0, layout) }
    }
}

extension ScriptHost {
    /// `slice`: the loss along a line or in a plane.
    func sliceClass() -> ObjectClass<SliceObject> {
        let slices = ObjectClass<SliceObject>(
            "slice", "The loss along a line or in a plane of parameter space, at the points of a grid; a value.")
        slices.property("kind", .string, "'line' or 'plane'.") { $0.slice.isLine ? "line" : "plane" }
        slices.property(
            "losses", .object("array"),
            "The losses: {points} of a line, {points, points} of a plane, rows by y; inf or nan where the network diverges."
        ) { try $0.losses.get() }
        slices.property("x", .object("array"), "The coordinates along the first direction.") {
            try ArrayObject($0.slice.axes[0].coordinates)
        }
        slices.property("y", .object("array").orNil, "The coordinates along the second direction; nil of a line.") {
            object -> ArrayObject? in
            try object.slice.isLine ? nil : ArrayObject(object.slice.axes[1].coordinates)
        }
        slices.property("units", .list(of: .string), "What the coordinates are in.") { $0.slice.axes.map(\.unit) }
        slices.property(
            "explained", .object("array").orNil,
            "Of principal components: the share of the trajectory's variance along each; nil of other slices."
        ) { object -> ArrayObject? in
            let shares = object.slice.axes.compactMap(\.explained)
            return try shares.isEmpty ? nil : ArrayObject(shares)
        }
        slices.property(
            "path", .object("array").orNil,
            "The coordinates of the trajectory's points, or of the three points of a plane: {points, directions}; nil of other slices."
        ) { object -> ArrayObject? in
            let marks = object.slice.marks
            if marks.isEmpty { return nil }
            return ArrayObject(
                try NDArray(marks.flatMap(\.coordinates), shape: [marks.count, object.slice.axes.count]))
        }
        slices.property(
            "path_distances", .object("array").orNil,
            "How far these points lie from the slice; nil where there are none."
        ) { object -> ArrayObject? in
            try object.slice.marks.isEmpty ? nil : ArrayObject(object.slice.marks.map(\.distance))
        }
        slices.property("origin", .vector, "The parameters at the coordinates 0.") { $0.makeVector($0.slice.origin) }
        slices.property("directions", .list(of: .vector), "What one unit of each coordinate goes along.") { object in
            object.slice.axes.map { object.makeVector($0.direction) }
        }
        slices.property("lowest", .number.orNil, "The smallest finite loss; nil where none is.") {
            $0.slice.range?.lowerBound
        }
        slices.property("highest", .number.orNil, "The largest finite loss; nil where none is.") {
            $0.slice.range?.upperBound
        }
        slices.property("not_finite", .integer, "How many losses are inf or nan.") { $0.slice.notFinite }
        slices.method(
            "point", "The parameters at these coordinates.",
            parameters: [
                Parameter("x", .number(.finite), "Along the first direction."),
                Parameter("y", .number(.finite), default: 0, "Along the second."),
            ], results: [Parameter("params", .vector, "The parameters.")]
        ) { object, call in
            let y: Double = try call.get("y")
            if object.slice.isLine, try call.has("y"), y != 0 {
                throw ArgumentError("slice:point: a line has one coordinate, not two")
            }
            return object.makeVector(try object.slice.point(at: [call.get("x"), y]))
        }
        slices.length("How many losses it has.") { $0.slice.losses.count }
        slices.description { object in
            let slice = object.slice
            let axes = slice.axes.map { axis in
                "\(axis.coordinates.count) from \(short(axis.coordinates.first ?? 0)) to "
                    + "\(short(axis.coordinates.last ?? 0)) (\(axis.unit)"
                    + (axis.explained.map { ", \(percent($0)) of the variance" } ?? "") + ")"
            }
            let range =
                slice.range.map { "losses \(short($0.lowerBound)) to \(short($0.upperBound))" } ?? "no finite loss"
            return "loss of \(object.runName) at step \(object.step) \(slice.isLine ? "along a line" : "in a plane"): "
                + axes.joined(separator: " by ") + "; \(range)"
                + (slice.notFinite == 0 ? "" : ", \(slice.notFinite) not finite")
        }
        slices.external { object in
            let vectors = 1 + object.slice.axes.count
            return vectors * object.slice.origin.count * object.slice.origin.element.byteCount
                + 8 * object.slice.losses.count
        }
        return slices
    }
}

/// A share as people read it: 99.96 %, not 100 %.
func percent(_ share: Double) -> String { formatted(100 * share, "%.4g") + " %" }
