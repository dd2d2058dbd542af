import Experiments
import Foundation
import Testing

/// The live page in a browser, on a desktop and on a phone.
@Suite struct LivePageBrowserTests {
    private static let attack = "<img src=x onerror=window.attacked=1>"

    @Test(
        .enabled(if: Browser.path != nil, "there is no Chromium: apt-get install chromium"),
        arguments: [(1200, 900), (380, 800)])
    func aRunIsSeenAsItGoesOn(width: Int, height: Int) throws {
        let folder = try RunsFolder()
        let file = try RunFile.create(name: "live", in: URL(fileURLWithPath: folder.runs))
        for step in 0...100 {
            try file.record("loss", step: step, value: 1 / Double(step + 1))
            try file.record("lambda_max", step: step, value: Double(step) / 5)
            try file.record("edge", step: step, value: 20)
        }
        try file.record(Self.attack, step: 0, value: 1)
        try file.addEvent(step: 50, kind: "lr", message: Self.attack)
        try file.addScript(path: "a.lua", source: "print('\(Self.attack)')\n")
        try file.addFigure(
            name: "a.svg", mime: "image/svg+xml",
            bytes: Data("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>".utf8))
        try file.commit()
        let server = try PageServer([folder.runs, "--port", "0"])
        let browser = try Browser(in: folder.url)
        let address = "http://127.0.0.1:\(server.port)/"

        try browser.open(address, width: width, height: height)
        try browser.expect("document.querySelector('.run .name')?.textContent === 'live'")
        try browser.expect("document.querySelector('.run .state').textContent === 'running'")
        try browser.expect("document.querySelector('.spark polyline').points.length > 10")
        try browser.expect("document.documentElement.scrollWidth <= window.innerWidth")

        try browser.open(address + "#/run/live", width: width, height: height)
        // The edge is drawn with its curvature, and has no panel of its own.
        try browser.expect("document.querySelectorAll('.panel').length === 3")
        try browser.expect("document.querySelectorAll('.panel .note')[1].textContent.includes('edge')")
        let blue = "[...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 9999, 190).data]"
        try browser.expect("\(blue).some((part, place) => place % 4 === 3 && part > 0)")
        try browser.expect("document.documentElement.scrollWidth <= window.innerWidth")
        try browser.expect("document.querySelector('figure img').naturalWidth === 9")
        #expect(try browser.picture().count > 5_000)

        try file.record("loss", step: 101, value: 0.0625)
        try file.commit()
        try browser.expect("document.querySelector('.panel .last').textContent === '0.0625'")
        try file.close()
        try browser.expect("document.querySelector('.state').textContent === 'done'")

        try browser.open(address + "#/run/none", width: width, height: height)
        try browser.expect("document.body.textContent.includes(\"the folder has no run file 'none.eoss'\")")
        try browser.open(address + "#/run/live", width: width, height: height)

        // What a file says is text.
        try browser.expect("document.body.textContent.includes('\(Self.attack)')")
        try browser.expect("document.querySelectorAll('img').length === 1 && window.attacked === undefined")
    }

    @Test(.enabled(if: Browser.path != nil, "there is no Chromium: apt-get install chromium"))
    func aStretchOfStepsIsLookedAtMoreClosely() throws {
        let folder = try RunsFolder()
        try folder.run("long") { file in
            for step in 0..<20_000 { try file.record("loss", step: step, value: 2 + sin(Double(step * step))) }
        }
        let server = try PageServer([folder.runs, "--port", "0"])
        let browser = try Browser(in: folder.url)
        try browser.open("http://127.0.0.1:\(server.port)/#/run/long", width: 1200, height: 900)
        try browser.expect("document.querySelector('.panel .last')?.textContent.length > 0")
        try browser.expect("document.querySelector('.zoom').hidden")
        let box = "document.querySelector('canvas').getBoundingClientRect()"
        let left = try #require(browser.value("\(box).left") as? Double)
        let top = try #require(browser.value("\(box).top") as? Double)
        for (kind, place) in [("mousePressed", 150.0), ("mouseMoved", 200), ("mouseReleased", 250)] {
            try browser.call(
                "Input.dispatchMouseEvent",
                ["type": kind, "x": left + place, "y": top + 80, "button": "left", "clickCount": 1])
        }
        try browser.expect("!document.querySelector('.zoom').hidden")
        let asked =
            "performance.getEntriesByType('resource').some((entry) => entry.name.includes('/series?name=loss&from='))"
        try browser.expect(asked)
        try browser.call("Runtime.evaluate", ["expression": "document.querySelector('.zoom').click()"])
        try browser.expect("document.querySelector('.zoom').hidden")
    }
}
