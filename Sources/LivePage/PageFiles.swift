import CLivePage
import Foundation

/// A file that the page is made of, which stands in the program.
struct PageFile: Sendable {
    let name: String
    let bytes: Data

    /// Its media type.
    var mime: String {
        switch (name as NSString).pathExtension {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        default: "text/javascript; charset=utf-8"
        }
    }

    /// By name.
    static let all: [String: PageFile] = {
        var files: [String: PageFile] = [:]
        guard var next = eoss_page_files() else { return files }
        while let name = next.pointee.name {
            let file = PageFile(
                name: String(cString: name), bytes: Data(bytes: next.pointee.bytes, count: next.pointee.length))
            files[file.name] = file
            next += 1
        }
        return files
    }()
}
