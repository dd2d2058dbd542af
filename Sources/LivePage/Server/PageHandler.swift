import Experiments
import FlyingFox
import Foundation
import RunFiles

/// Answers requests.
struct PageHandler: HTTPHandler {
    let library: PageLibrary
    let check: RequestCheck
    let streams: StreamCount

    /// The page's own files, what it asks for, and pictures: nothing else is loaded, nothing inline runs, and no other page frames it.
    static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    func handleRequest(_ request: HTTPRequest) async -> HTTPResponse {
        var response = await answer(request)
        for (name, value) in [
            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cache-Control", "no-store"),
        ] { response.headers[HTTPHeader(name)] = value }
        let policyName = HTTPHeader("Content-Security-Policy")
        if response.headers[policyName] == nil { response.headers[policyName] = Self.policy }
        guard request.method == .HEAD else { return response }
        if case .httpBody(let body) = response.payload, let count = body.count {
            response.headers[.contentLength] = String(count)
        }
        response.payload = .httpBody(HTTPBodySequence(data: Data()))
        return response
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        let resource = Resource(path: request.target.path(), query: request.target.query())
        let headers = RequestCheck.Headers(
            method: request.method.rawValue, host: request.headers[.host],
            origin: request.headers[HTTPHeader("Origin")], site: request.headers[HTTPHeader("Sec-Fetch-Site")],
            mode: request.headers[HTTPHeader("Sec-Fetch-Mode")])
        if let refusal = check.refusal(of: headers, isPage: resource == .file("page.html")) {
            var response = Self.text(
                HTTPStatusCode(refusal.status, phrase: refusal.status == 405 ? "Method Not Allowed" : "Forbidden"),
                refusal.reason)
            if refusal.status == 405 { response.headers[HTTPHeader("Allow")] = "GET, HEAD" }
            return response
        }
        guard let resource else { return Self.text(.notFound, "there is no such thing on this page") }
        return await answer(resource, isHead: request.method == .HEAD)
    }

    private func answer(_ resource: Resource, isHead: Bool) async -> HTTPResponse {
        switch resource {
        case .file(let name):
            guard let file = PageFile.all[name] else { return Self.text(.notFound, "there is no file of this name") }
            return Self.response(file.mime, file.bytes)
        case .runs: return await Self.once(library.list.message(after:))
        case .runsStream: return stream(library.list.message(after:), isHead)
        case .run(let name):
            guard let watch = library.watch(of: name) else { return Self.noRun(name) }
            return await Self.once(watch.message(after:))
        case .runStream(let name):
            guard let watch = library.watch(of: name) else { return Self.noRun(name) }
            return stream(watch.message(after:), isHead)
        case .series(let name, let series, let steps):
            return await content(of: name) { await library.series($0, series, steps) }
        case .script(let name, let number):
            return await content(of: name) { await library.script($0, number) }
        case .figure(let name, let figure):
            var response = await content(of: name) { await library.figure($0, figure) }
            response.headers[HTTPHeader("Content-Security-Policy")] = ServedFigure.policy
            return response
        }
    }

    private func content(of name: String, _ read: (URL) async -> PageLibrary.Answer) async -> HTTPResponse {
        guard let file = library.file(of: name) else { return Self.noRun(name) }
        switch await read(file) {
        case .success(let (mime, bytes)): return Self.response(mime, bytes)
        case .failure(let error):
            if case .missing = error { return Self.text(.notFound, error.reason.label(400)) }
            return Self.text(HTTPStatusCode(503, phrase: "Service Unavailable"), error.reason.label(400))
        }
    }

    private static func once(_ source: EventStream.Source) async -> HTTPResponse {
        let text = await source(nil)?.parts.last ?? "{}"
        return response("application/json", Data(text.utf8))
    }

    private func stream(_ source: @escaping EventStream.Source, _ isHead: Bool) -> HTTPResponse {
        let mime = "text/event-stream"
        if isHead { return Self.response(mime, Data()) }
        guard let place = streams.place() else {
            return Self.text(
                HTTPStatusCode(503, phrase: "Service Unavailable"), "too many pages are open: close some of them")
        }
        return HTTPResponse(
            statusCode: .ok, headers: [.contentType: mime],
            body: HTTPBodySequence(from: EventStream(source: source, place: place)))
    }

    private static func noRun(_ name: String) -> HTTPResponse {
        text(.notFound, "the folder has no run file '\(name.label()).eoss'")
    }

    private static func response(_ mime: String, _ bytes: Data) -> HTTPResponse {
        HTTPResponse(
            statusCode: .ok, headers: [.contentType: mime],
            body: HTTPBodySequence(data: bytes, suggestedBufferSize: 65_536))
    }

    private static func text(_ status: HTTPStatusCode, _ words: String) -> HTTPResponse {
        HTTPResponse(
            statusCode: status, headers: [.contentType: "text/plain; charset=utf-8"], body: Data((words + "\n").utf8))
    }
}
