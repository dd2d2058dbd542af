import Experiments
import LuaBridge
import Networks
import RunFiles

/// What the prompt shows of networks, operators and estimates.
extension ScriptHost {
    /// Lines of a table beyond which its middle is left out.
    private static let mostLines = 24

    private func lines(of table: TextTable) -> [String] {
        let lines = table.lines(width: options.width() - 2).map { "  " + $0 }
        guard lines.count > Self.mostLines + 1 else { return lines }
        let (head, tail) = (Self.mostLines * 2 / 3, Self.mostLines / 3 - 1)
        return lines.prefix(head) + ["  … \(lines.count - head - tail) more"] + lines.suffix(tail)
    }

    /// Below a first line what belongs to it, by name.
    private func view(_ line: String, _ facts: [(name: String, text: String?)]) -> String {
        var table = TextTable([.init("", .left), .init("", .left, least: 20)])
        for (name, text) in facts { if let text { table.add([name, text]) } }
        let lines = table.lines(width: options.width() - 2, hasTitle: false)
        return ([line] + lines.map { "  " + $0 }).joined(separator: "\n")
    }

    /// A line for each layer, with the shapes of its parameters; of a network without recorded layers for each parameter.
    func view(of object: ModelObject) -> String {
        let model = object.model
        func spelled(_ shape: [Int]) -> String {
            shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "×")
        }
        var table: TextTable
        if model.layers.isEmpty {
            table = TextTable([.init("parameter", .left, least: 12), .init("shape", .left), .init("count")])
            for entry in model.layout.entries {
                table.add([entry.name.printable, spelled(entry.shape), entry.count.grouped])
            }
        } else {
            table = TextTable([
                .init("layer", .left, least: 12), .init("kind", .left), .init("output", .left), .init("parameters"),
                .init("shapes", .left, least: 16, isOptional: true),
            ])
            for layer in model.layers {
                let own = model.layout.entries.filter { $0.name.hasPrefix(layer.name + ".") }
                let shapes = own.map { "\($0.name.dropFirst(layer.name.count + 1)) \(spelled($0.shape))" }
                table.add([
                    layer.name.printable, layer.kind, spelled(layer.outputShape), layer.parameters.grouped,
                    shapes.joined(separator: ", ").printable,
                ])
            }
        }
        return ([object.line] + lines(of: table)).joined(separator: "\n")
    }

    func view(of object: OperatorObject) -> String {
        let tensors = object.space.layout?.entries.map(\.name.printable)
        let products = object.counted.products
        // It is planned with the first product, and not for being looked at.
        let work = products > 0 ? object.matrix.productWork : nil
        return view(
            object.line,
            [
                (
                    "acts on",
                    tensors.map { "\($0.count) tensor\($0.count == 1 ? "" : "s"): \($0.joined(separator: ", "))" }
                ),
                ("samples", object.samples.map(\.grouped)), ("keeps", "about \(object.externalBytes.byteSize)"),
                ("products", "\(products.grouped)" + (work.map { ", \(short($0)) multiply-adds each" } ?? "")),
            ])
    }

    func view(of result: MeasurementObject) -> String {
        guard let first = result.measurements.first else { return result.name }
        if result.measurements.count > 1 { return severalValues(of: result) }
        let error = first.standardError.map { $0 == 0 ? ", exact" : " ± \(short($0))" } ?? ""
        let course = result.course
        let finite = course.filter(\.isFinite)
        var running: String?
        if let low = finite.min(), let high = finite.max() {
            running = "\(Sparkline.text(course, width: 40))  \(short(low)) to \(short(high))"
        }
        return view(
            "\(result.name) = \(short(first.value))" + error + (first.isFinished ? "" : unfinished),
            [
                (
                    "95 % interval",
                    first.ends.flatMap { $0.low == $0.high ? nil : "\(short($0.low)) to \(short($0.high))" }
                ),
                ("residual", residual(of: first)), ("took", costs(of: first)), ("running value", running),
            ])
    }

    private func severalValues(of result: MeasurementObject) -> String {
        var table = TextTable([.init("", .left, least: 12), .init("value"), .init("± error"), .init("residual")])
        for (place, measured) in result.measurements.enumerated() {
            let name = result.names.indices.contains(place) ? result.names[place] : "\(place + 1)"
            table.add([
                name.printable, short(measured.value), measured.standardError.map { short($0) } ?? "",
                residual(of: measured) ?? "",
            ])
        }
        let rest =
            (costs(of: result.measurements[0]) ?? "") + (result.measurements.allSatisfy(\.isFinished) ? "" : unfinished)
        return ([result.name] + lines(of: table) + (rest.isEmpty ? [] : ["  " + rest])).joined(separator: "\n")
    }

    /// Nobody waits for less than a tenth of a second.
    private static let noticed = 0.1

    private func costs(of measured: Measurement) -> String? {
        let costs = [
            measured.samples.map { "\($0.grouped) samples" }, measured.products.map { "\($0.grouped) products" },
            measured.operations.map { "\(short($0)) multiply-adds" },
            measured.seconds.flatMap { $0 < Self.noticed ? nil : "\(formatted($0, "%.1f")) s" },
        ].compactMap { $0 }
        return costs.isEmpty ? nil : costs.joined(separator: ", ")
    }

    private func residual(of measured: Measurement) -> String? {
        measured.residual.map { short($0) + (measured.converged == false ? ", not converged" : "") }
    }
}
