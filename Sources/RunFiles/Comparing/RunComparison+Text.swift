import Experiments

extension RunComparison {
    /// What tables call the runs: A, B, …; numbers where there are more runs than letters.
    package var letters: [String] {
        names.indices.map { names.count <= 26 ? String(UnicodeScalar(UInt8(65 + $0))) : "\($0 + 1)" }
    }

    /// As people read it.
    /// - Parameter width: that tables are to have at most; nil for any.
    package func lines(width: Int?) -> [String] {
        var runs = TextTable([.init("", .left), .init("", .left, least: 20), .init("", .left), .init("")])
        for (index, letter) in letters.enumerated() {
            let step = steps[index].map { "\($0.grouped) steps" } ?? ""
            runs.add([letter, names[index].label(), states[index], step])
        }
        var lines = runs.lines(width: width, hasTitle: false)
        lines += forks.map { "\(letters[$0.run]) is a fork of \(letters[$0.parent]) at step \($0.step.grouped)" }
        lines += [""] + (scripts.isEmpty ? ["script  the same"] : scriptLines)
        for (title, differences) in [
            ("parameters", parameters), ("settings", settings), ("environment", environment),
        ] {
            let rows = differences.map { ($0.name.label(60), $0.values.map { $0?.label ?? "–" }) }
            lines += [""] + section(title, rows, width)
        }
        let rows = curves.map { ($0.name.label(60), $0.last.map { $0?.value.short ?? "–" }) }
        lines += [""] + section("last values", rows, width, alignment: .right)
        return lines + [""] + deviationLines(width)
    }

    /// What differs in scripts and modules; nothing where they are the same.
    package var scriptLines: [String] {
        scripts.flatMap { script -> [String] in
            let (path, letter) = (script.path.label(), letters[script.run])
            switch script.kind {
            case .onlyInFirst: return ["script  '\(path)': \(letters[0]) has it, \(letter) does not"]
            case .onlyInOther: return ["script  '\(path)': \(letter) has it, \(letters[0]) does not"]
            case .sameAs(let run): return ["script  '\(path)': \(letter) has that of \(letters[run])"]
            case .differs(let difference):
                return ["script  '\(path)': \(letters[0]) (-) and \(letter) (+) differ"] + difference.lines
            }
        }
    }

    /// What differs, a row for each thing and a column for each run, or the other way round where that has room and this has not.
    private func section(
        _ title: String, _ rows: [(name: String, cells: [String])], _ width: Int?,
        alignment: TextTable.Column.Alignment = .left
    ) -> [String] {
        if rows.isEmpty { return ["\(title)  \(title == "last values" ? "none" : "the same")"] }
        var table = TextTable(
            [.init(title, .left, least: 12)] + letters.map { .init($0, alignment, least: 6) })
        for row in rows { table.add(["  " + row.name] + row.cells) }
        if !table.fits(width) {
            var turned = TextTable(
                [.init(title, .left, least: 4)] + rows.map { .init($0.name, alignment, least: 8) })
            for (run, letter) in letters.enumerated() { turned.add(["  " + letter] + rows.map { $0.cells[run] }) }
            if turned.fits(width) || rows.count < letters.count { table = turned }
        }
        return table.lines(width: width)
    }

    private func deviationLines(_ width: Int?) -> [String] {
        var table = TextTable([
            .init("distance from \(letters[0])", .left, least: 16), .init("run", .left), .init("steps"),
            .init("differs from"), .init("largest"), .init("relative"), .init("at step"),
        ])
        for curve in curves {
            for (index, deviation) in curve.deviations.enumerated() {
                guard let deviation, !deviation.isNone else { continue }
                table.add([
                    "  " + curve.name.label(60), letters[index + 1], deviation.common.grouped,
                    deviation.first?.grouped ?? "–", deviation.largest?.value.short ?? "–",
                    deviation.relative?.short ?? "–", deviation.largest?.step.grouped ?? "–",
                ])
            }
        }
        if table.rows.isEmpty {
            let common = curves.contains { $0.deviations.contains { $0 != nil } }
            return ["curves  \(common ? "the same, to the bit" : "no series in common")"]
        }
        return table.lines(width: width)
    }

    /// For other programs.
    package var json: JSONValue {
        func object(_ differences: [Difference]) -> JSONValue {
            .object(Dictionary(differences.map { ($0.name, .array($0.values.map { $0 ?? .null })) }) { $1 })
        }
        return [
            "runs": .array(
                names.indices.map {
                    [
                        "name": .string(names[$0]), "state": .string(states[$0]),
                        "step": steps[$0].map { .integer($0) } ?? .null,
                    ]
                }),
            "forks": .array(
                forks.map {
                    ["run": .integer($0.run), "parent": .integer($0.parent), "step": .integer($0.step)]
                }),
            "scripts": .array(scripts.map(\.json)), "parameters": object(parameters), "settings": object(settings),
            "environment": object(environment), "series": .array(curves.map(\.json)),
        ]
    }
}

extension LineDifference {
    /// As `diff` writes it, without control characters.
    package var lines: [String] {
        hunks.flatMap { hunk in
            ["  @@ line \(hunk.first.old), line \(hunk.first.new) @@"]
                + hunk.lines.map { line in
                    switch line {
                    case .kept(let text): "   " + text.printable
                    case .removed(let text): "  -" + text.printable
                    case .added(let text): "  +" + text.printable
                    }
                }
        }
    }
}

extension RunComparison.ScriptDifference {
    fileprivate var json: JSONValue {
        var fields: [String: JSONValue] = ["run": .integer(run), "path": .string(path)]
        switch kind {
        case .onlyInFirst: fields["kind"] = "only in the first"
        case .onlyInOther: fields["kind"] = "only in this run"
        case .sameAs(let run):
            fields["kind"] = "same as another"
            fields["same_as"] = .integer(run)
        case .differs(let difference):
            fields["kind"] = "differs"
            fields["lines"] = .array(difference.lines.map { .string(String($0.dropFirst(2))) })
        }
        return .object(fields)
    }
}

extension RunComparison.Curves {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "last": .array(last.map { $0?.shortJSON ?? .null }),
            "deviations": .array(
                deviations.map { deviation in
                    guard let deviation else { return .null }
                    return [
                        "common_steps": .integer(deviation.common), "steps_alone": .integer(deviation.alone),
                        "first_step": deviation.first.map { .integer($0) } ?? .null,
                        "largest": deviation.largest.map { .number($0.value) } ?? .null,
                        "largest_step": deviation.largest.map { .integer($0.step) } ?? .null,
                        "relative": deviation.relative.map { .number($0) } ?? .null,
                    ]
                }),
        ]
    }
}
