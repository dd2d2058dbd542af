import Experiments
import LuaBridge

/// What a run has cost, at the moment it was asked.
final class CostsObject: LuaObject {
    let costs: RunCosts
    init(_ costs: RunCosts) { self.costs = costs }
}

extension ScriptHost {
    private static let costItem = LuaType.record([
        Parameter("name", .string, "The quantity, or 'training'."),
        Parameter("series", .integer, "How many series it has."),
        Parameter("count", .integer, "How many measurements, or steps, there were."),
        Parameter("samples", .integer, unit: "samples", "How many samples it drew."),
        Parameter("products", .integer, "How many matrix-vector products it took."),
        Parameter("operations", .number, "Multiply-adds of the cost model."),
        Parameter("share", .number, "Which part of all operations that is."),
        Parameter("seconds", .number, unit: "seconds", "How long it took."),
    ])

    /// `costs`: what `run:costs()` gives.
    func costsClass() -> ObjectClass<CostsObject> {
        let costs = ObjectClass<CostsObject>("costs", "What the steps and the quantities of a run have cost; a value.")
        costs.property("training", Self.costItem, "Of the steps.") {
            $0.record($0.costs.training)
        }
        costs.property("probes", .list(of: Self.costItem), "Of each quantity, in the order of track.") {
            object in
            object.costs.probes.map { object.record($0).luaValue }
        }
        costs.property("operations", .number, "Multiply-adds of the cost model, of everything.") { $0.costs.operations }
        costs.property("seconds", .number, unit: "seconds", "Of everything.") { $0.costs.seconds }
        costs.property("share", .number, "Which part of the operations the quantities took.") { $0.costs.probeShare }
        costs.property("budget", .number.orNil, "Which part they may take; nil without a budget.") { $0.costs.budget }
        costs.method(
            "of", "What one quantity has cost.", parameters: [Parameter("name", .string, "Its name, or 'training'.")],
            results: [
                Parameter(
                    "item", Self.costItem, "What it has cost.")
            ]
        ) { object, call in
            let name: String = try call.get("name")
            let items = [object.costs.training] + object.costs.probes
            guard let item = items.first(where: { $0.name == name }) else {
                throw ArgumentError(
                    "costs:of: nothing called '\(name)' is tracked; there are \(items.map(\.name).joined(separator: ", "))"
                )
            }
            return object.record(item)
        }
        costs.length("How many quantities are tracked.") { $0.costs.probes.count }
        costs.description { $0.costs.description }
        return costs
    }
}

extension CostsObject {
    fileprivate func record(_ item: RunCosts.Item) -> LuaRecord {
        LuaRecord(
            [
                "name": .string(item.name), "series": .integer(item.seriesCount), "count": .integer(item.count),
                "samples": .integer(item.samples), "products": .integer(item.products),
                "operations": .number(item.operations), "share": .number(costs.share(of: item)),
                "seconds": .number(item.seconds),
            ], called: "the costs of \(item.name)")
    }
}
