import Testing

@testable import Sweeps

@Suite struct SweepPlanTests {
    @Test(arguments: [
        ("0.02,0.05", ["0.02", "0.05"]), ("1", ["1"]), (" 1 , 2 ", ["1", "2"]),
        ("{200,200},{50}", ["{200,200}", "{50}"]),
        (#""a,b",c"#, ["a,b", "c"]), (#""""#, [""]), ("1e-3,-2", ["1e-3", "-2"]),
    ])
    func commasPartValuesButForThoseInBracesAndQuotes(text: String, values: [String]) throws {
        #expect(try SweepValues.split(text, of: "x") == values)
    }

    @Test(arguments: [
        ("", "there are no values"), (" ", "there are no values"), ("1,,2", "a value is empty"),
        ("1,", "a value is empty"),
        ("{1,2", "'{' is not closed"), ("1}", "'}' without"), (#""a"#, "is not closed"),
        (#"a,"b"c"#, "a value of its own"),
    ])
    func whatIsNoListOfValuesIsAnErrorThatSaysHowOneIsWritten(text: String, message: String) throws {
        let error = #expect(throws: SweepError.self) { try SweepValues.split(text, of: "lr") }
        #expect(error?.description.contains(message) == true && error?.description.contains("--set lr=1,2,3") == true)
    }

    @Test func repetitionsAreSeedsAndChangeFastest() throws {
        let plan = try SweepPlan([.init("lr", ["0.1", "0.2"])], repeats: 3)
        #expect(plan.points.count == 6)
        #expect(plan.names == (["0.1", "0.2"]).flatMap { lr in (1...3).map { "lr=\(lr)-seed=\($0)" } })
        #expect(plan.points[4].settings == [.init("lr", "0.2"), .init("seed", "2")])
    }

    @Test func onlyParametersThatChangeAreInTheNames() throws {
        #expect(try SweepPlan([.init("steps", ["100"]), .init("lr", ["1", "2"])]).names == ["lr=1", "lr=2"])
        #expect(try SweepPlan([.init("steps", ["100"]), .init("lr", ["1"])]).names == ["steps=100-lr=1"])
    }

    @Test func namesAreNamesOfFilesAndTellThePointsApart() throws {
        let texts = [
            "a/b", "..", "é", "x y", "a=b", "a-b=1", "a", String(repeating: "long", count: 100), "\u{1B}[31m", "a\0",
        ]
        let plan = try SweepPlan([.init("a", texts), .init("b", texts)])
        #expect(Set(plan.names).count == texts.count * texts.count)
        for name in plan.names {
            #expect(name.utf8.count <= 130)
            #expect(
                name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._+-,{}=%~".contains($0)) }, "\(name)")
        }
    }

    @Test func whatCannotBeSweptIsOneMessage() {
        func message(_ axes: [SweepPlan.Axis], repeats: Int? = nil) -> String {
            do {
                _ = try SweepPlan(axes, repeats: repeats)
                return ""
            } catch { return error.description }
        }
        #expect(message([]).contains("nothing to sweep"))
        #expect(message([.init("lr", [])]).contains("lr has no values"))
        #expect(message([.init("lr", ["1", "1"])]).contains("1 twice"))
        #expect(message([.init("lr", ["1"]), .init("lr", ["2"])]).contains("given twice"))
        #expect(message([.init("seed", ["1"])], repeats: 2).contains("by --repeat and by --set seed"))
        #expect(message([.init("l/r", ["1"])]).contains("no name of a parameter"))
        #expect(message([.init("lr", ["1"])], repeats: 0).contains("should be 1 or more"))
        let many = (0..<1000).map(String.init)
        #expect(
            message([.init("a", many), .init("b", Array(many[..<100]))]).contains(
                "1000 × 100 points, and may have 10000"))
        #expect(message([], repeats: .max).contains("and may have 10000"))
        let huge = (0..<40).map { SweepPlan.Axis("a\($0)", many) }
        #expect(message(huge).contains("and may have 10000"))
    }
}
