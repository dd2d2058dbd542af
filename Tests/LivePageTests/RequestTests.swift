import Foundation
import Testing

@testable import LivePage

/// Who may ask, and for what.
@Suite struct RequestTests {
    private let check = RequestCheck(port: 8611)

    private func status(_ change: (inout RequestCheck.Headers) -> Void, isPage: Bool = false) -> Int? {
        var headers = RequestCheck.Headers(host: "127.0.0.1:8611")
        change(&headers)
        return check.refusal(of: headers, isPage: isPage)?.status
    }

    @Test(arguments: ["127.0.0.1:8611", "localhost:8611", "LocalHost:8611", "[::1]:8611"])
    func thisMachineByItsOwnNameIsAnswered(host: String) { #expect(status { $0.host = host } == nil) }

    /// A page of another site may have its own name lead to this machine: the browser then says that name.
    @Test(arguments: [
        "evil.example", "evil.example:8611", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:86110",
        "127.0.0.1.evil.example:8611",
        "localhost.:8611", "", "0.0.0.0:8611",
    ])
    func otherNamesAndPortsAreRefused(host: String) { #expect(status { $0.host = host } == 403) }

    @Test func aRequestThatNamesNoHostIsRefused() { #expect(status { $0.host = nil } == 403) }

    @Test func onlyThePageItselfMayAsk() {
        #expect(status { $0.origin = "http://127.0.0.1:8611" } == nil)
        for origin in [
            "http://evil.example", "null", "https://127.0.0.1:8611", "http://127.0.0.1:8612", "http://localhost:8611",
        ] { #expect(status { $0.origin = origin } == 403, "\(origin)") }
    }

    @Test func aLinkElsewhereLeadsToThePageAndToNothingElse() {
        let link: (inout RequestCheck.Headers) -> Void = { ($0.site, $0.mode) = ("cross-site", "navigate") }
        #expect(status(link, isPage: true) == nil && status(link) == 403)
        #expect(status({ ($0.site, $0.mode) = ("cross-site", "no-cors") }, isPage: true) == 403)
        #expect(status { $0.site = "same-site" } == 403)
        #expect(status { $0.site = "same-origin" } == nil && status { $0.site = "none" } == nil)
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "get"])
    func nothingIsWritten(method: String) {
        #expect(status { $0.method = method } == 405)
        #expect(status { $0.method = "HEAD" } == nil)
    }

    @Test func pathsNameWhatThereIs() {
        #expect(Resource(path: "/") == .file("page.html") && Resource(path: "/page.js") == .file("page.js"))
        #expect(Resource(path: "/api/runs") == .runs && Resource(path: "/api/stream") == .runsStream)
        #expect(Resource(path: "/api/runs/a%2Fb") == .run("a/b"))
        #expect(Resource(path: "/api/runs/a/stream") == .runStream("a"))
        #expect(
            Resource(path: "/api/runs/a/series", query: "name=my%20loss&from=3&to=9")
                == .series("a", name: "my loss", steps: 3...9))
        #expect(Resource(path: "/api/runs/a/series", query: "name=x") == .series("a", name: "x", steps: .min ... .max))
        #expect(Resource(path: "/api/runs/a/scripts/0") == .script("a", 0))
        #expect(Resource(path: "/api/runs/a/figures/e%20d.svg") == .figure("a", "e d.svg"))
    }

    @Test(arguments: [
        "", "page.js", "//", "/../page.js", "/api", "/api/runs/", "/api/runs/a/b", "/api/runs/a/scripts/-1",
        "/api/runs/a/scripts/x", "/%zz", "/page.html/", "/api/runs/a/series", "/etc/passwd", "http://127.0.0.1:8611/",
    ])
    func otherPathsNameNothing(path: String) throws {
        let resource = Resource(path: path)
        // An empty name is a name: no file has it.
        if path == "/api/runs/" { #expect(resource == .run("")) } else { #expect(resource == nil) }
    }

    @Test func aLongPathOrAWrongRangeIsNone() {
        #expect(Resource(path: "/api/runs/" + String(repeating: "a", count: 5000)) == nil)
        #expect(Resource(path: "/api/runs/a/series", query: "name=x&from=9&to=3") == nil)
        #expect(Resource(path: "/api/runs/a/series", query: "name=x&from=one") == nil)
    }

    /// Each file of `web` is in the program, as it is.
    @Test func thePageIsInTheProgram() throws {
        let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../web").standardized
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(names) == Set(PageFile.all.keys))
        for name in names {
            #expect(try PageFile.all[name]?.bytes == Data(contentsOf: folder.appendingPathComponent(name)))
        }
    }

    /// The page's policy forbids what is inline, and everything from elsewhere: nothing of that is in it.
    @Test func thePageLoadsNothingFromElsewhere() {
        for file in PageFile.all.values {
            let text = String(decoding: file.bytes, as: UTF8.self).replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!text.contains("http:") && !text.contains("https:"), "\(file.name)")
            #expect(!text.contains("innerHTML") && !text.contains("style=") && !text.contains("onclick=\""))
        }
    }

    @Test func aPortThatIsTakenIsPassedOver() throws {
        let first = try #require(FreePort.next(from: 0))
        #expect(FreePort.next(from: first) == first)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = first.bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(bound == 0 && listen(descriptor, 1) == 0)
        let next = try #require(FreePort.next(from: first))
        #expect(next != first && next > 0)
    }
}
