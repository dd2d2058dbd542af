/// Who may ask: the page itself, and whoever types the address, on this machine.
///
/// A browser asks on behalf of any page that is open in it. A page elsewhere can name this server in a link, an image or a form, or have its
/// own name lead here (DNS rebinding). It cannot choose the headers by which that shows.
struct RequestCheck: Sendable {
    /// The port that the server listens on.
    let port: UInt16

    struct Refusal: Error, Equatable {
        let status: Int
        let reason: String
    }

    /// What of a request is looked at; nil for a header that is not there.
    struct Headers {
        var method = "GET"
        var host: String?
        var origin: String?
        /// `Sec-Fetch-Site` and `Sec-Fetch-Mode`: browsers send them with everything.
        var site: String?
        var mode: String?
    }

    /// - Parameter isPage: whether it asks for the page, which a link elsewhere may lead to, and not for what is in it.
    func refusal(of request: Headers, isPage: Bool) -> Refusal? {
        guard let host = request.host?.lowercased(), hosts.contains(host) else {
            return Refusal(
                status: 403,
                reason:
                    "this page is for the address http://127.0.0.1:\(port)/ alone: where a port is forwarded to it, that must have "
                    + "the same number, as with ssh -L \(port):127.0.0.1:\(port)")
        }
        if let origin = request.origin?.lowercased(), origin != "http://\(host)" {
            return Refusal(status: 403, reason: "another page may not ask for this")
        }
        if let site = request.site?.lowercased(), site != "same-origin", site != "none",
            !(isPage && request.mode?.lowercased() == "navigate")
        {
            return Refusal(status: 403, reason: "another page may not ask for this")
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            return Refusal(status: 405, reason: "the page is only read: GET and HEAD are answered")
        }
        return nil
    }

    private var hosts: [String] { ["127.0.0.1", "localhost", "[::1]"].map { "\($0):\(port)" } }
}
