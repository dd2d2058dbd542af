import Foundation

/// What a run has taken so far, its steps and each of its probes: in the cost model's operations, which are the same on every
/// machine, and in seconds, which are not.
public struct RunCosts: Sendable, Hashable {
    /// What steps, or the measurements of one probe, took.
    public struct Item: Sendable, Hashable {
        /// `training`, or the probe's first series.
        public var name: String
        /// How many series the probe writes; 0 of the training.
        public var seriesCount: Int
        /// Steps, or measurements.
        public var count: Int
        /// Samples (batches, vectors) that estimates took.
        public var samples: Int
        /// Matrix-vector products.
        public var products: Int
        /// Multiply-adds of the cost model.
        public var operations: Double
        public var seconds: Double

        init(_ name: String, series: Int, _ spent: Spending) {
            self.name = name
            seriesCount = series
            count = spent.measurements
            samples = spent.samples
            products = spent.products
            operations = spent.operations
            seconds = spent.seconds
        }
    }

    public var training: Item
    /// In the order in which they were tracked.
    public var probes: [Item]
    /// The share of the work that probes with a budget may take, all of them together; nil without a budget.
    public var budget: Double?

    /// Operations of everything.
    public var operations: Double { probes.reduce(training.operations) { $0 + $1.operations } }
    /// Seconds of everything.
    public var seconds: Double { probes.reduce(training.seconds) { $0 + $1.seconds } }

    /// Which part of the run's operations an item took; 0 of nothing.
    public func share(of item: Item) -> Double { operations > 0 ? item.operations / operations : 0 }

    /// Which part of the run's operations all probes took.
    public var probeShare: Double { operations > 0 ? 1 - training.operations / operations : 0 }
}

extension RunCosts: CustomStringConvertible {
    /// A table with a line for the training, for each probe, and for everything.
    public var description: String {
        var rows = [["", "times", "samples", "products", "operations", "share", "seconds"]]
        func add(_ item: Item, _ name: String) {
            func figure(_ count: Int) -> String { count == 0 ? "" : "\(count)" }
            rows.append([
                name, "\(item.count)", figure(item.samples), figure(item.products),
                String(format: "%.3g", item.operations), percent(share(of: item)), String(format: "%.3g", item.seconds),
            ])
        }
        add(training, training.name)
        for probe in probes {
            add(probe, probe.seriesCount > 1 ? "\(probe.name) (\(probe.seriesCount) series)" : probe.name)
        }
        let limit = budget.map { " of \(percent($0)) allowed" } ?? ""
        let table = aligned(rows)
        return table
            + "\nprobes: \(percent(probeShare))\(limit); in all \(String(format: "%.3g", operations)) operations, "
            + "\(String(format: "%.3g", seconds)) s"
    }

    private func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
}

extension Run {
    /// What steps and probes have taken so far. What a program asks for by itself (`measure`, `evaluation`, …) is not counted.
    public var costs: RunCosts {
        RunCosts(
            training: RunCosts.Item("training", series: 0, training),
            probes: trackers.map { tracker in
                let series = tracker.probe.seriesNames
                return RunCosts.Item(series.first ?? "", series: series.count, tracker.spent)
            }, budget: budget?.share)
    }
}

extension RunFileReader {
    /// What the measurements of each series took, in the order in which the series began. Of a probe with several series the
    /// first has the operations of all. What the training took is not in the file.
    public func costs() throws(RunFileError) -> [RunCosts.Item] {
        let operations = version >= 2 ? "total(operations)" : "0.0"
        var items: [(id: Int, item: RunCosts.Item)] = try rows(
            """
            SELECT series.name, count(measurement.id), total(samples), total(products), \(operations), total(seconds), series.id
            FROM series LEFT JOIN measurement ON measurement.series = series.id GROUP BY series.id ORDER BY series.id
            """
        ) { row in
            func whole(_ index: Int) throws -> Int { Int(exactly: try row.decode(Double.self, atIndex: index)) ?? .max }
            let spent = Spending(
                measurements: try row.decode(Int.self, atIndex: 1), samples: try whole(2), products: try whole(3),
                operations: try row.decode(Double.self, atIndex: 4), seconds: try row.decode(Double.self, atIndex: 5))
            return (
                try row.decode(Int.self, atIndex: 6),
                RunCosts.Item(try row.decode(String.self, atIndex: 0), series: 1, spent)
            )
        }
        if version < 3 { return items.map(\.item) }
        let chunks = try rows("SELECT \(MeasurementChunk.columns), series FROM chunk ORDER BY id") { row in
            let chunk = try MeasurementChunk(row)
            let operations = chunk.operations.reduce(0) { $1.isNaN ? $0 : $0 + $1 }
            return (try row.decode(Int.self, atIndex: 7), chunk.count, operations, chunk.seconds ?? 0)
        }
        var places: [Int: Int] = [:]
        for (place, item) in items.enumerated() { places[item.id] = place }
        for (series, count, operations, seconds) in chunks {
            guard let place = places[series] else { continue }
            items[place].item.count += count
            items[place].item.operations += operations
            items[place].item.seconds += seconds
        }
        return items.map(\.item)
    }
}
