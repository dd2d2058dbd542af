import Experiments
import LuaBridge

/// What a run has cost, at the moment it was asked.
final class CostsObject: LuaObject {
    let costs: RunCosts
    init(_ costs: RunCosts) { self.costs = costs }
}

extension ScriptHost {
    /// `costs`: what `run:costs()` gives.
    func costsClass() -> ObjectClass<CostsObject> {
        let costs = ObjectClass<CostsObject>("costs", "What the steps and the quantities of a run have cost; a value.")
        costs.property("training", .table, "Of the steps: { name, count, operations, share, seconds, … }.") {
            $0.record($0.costs.training)
        }
        costs.property("probes", .list(of: .table), "Of each quantity, in the order of track: the same fields.") {
            object in
            object.costs.probes.map { object.record($0).luaValue }
        }
        costs.property("operations", .number, "Multiply-adds of the cost model, of everything.") { $0.costs.operations }
        costs.property("seconds", .number, unit: "seconds", "Of everything.") { $0.costs.seconds }
        costs.property("share", .number, "Which part of the operations the quantities took.") { $0.costs.probeShare }
        costs.property("budget", .number, "Which part they may take; nil without a budget.") { $0.costs.budget }
        costs.method(
            "of", "What one quantity has cost.", parameters: [Parameter("name", .string, "Its name, or 'training'.")],
            results: [
                Parameter(
                    "item", .table,
                    "{ name, series, count, samples, products, operations, share, seconds }: count steps or "
                        + "measurements; share of all operations.")
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
        costs.length { $0.costs.probes.count }
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
