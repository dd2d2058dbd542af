import Foundation

/// How a run gets a file name that nobody else has.
package enum RunFileName {
    /// Takes the next free one of `name.eoss`, `name-2.eoss`, … in the folder: makes an empty file that did not exist, in
    /// one system call, so that two processes never get the same. Returns its absolute path and the run's name.
    static func take(_ name: String, in directory: URL) throws(RunFileError) -> (path: String, name: String) {
        try check(name)
        let folder = directory.standardizedFileURL.path
        let failure = makeFolder(folder)
        if failure != 0 {
            throw .cannotCreate(path: folder + "/\(name).eoss", reason: String(cString: strerror(failure)))
        }
        var number = 1
        while true {
            let candidate = number == 1 ? name : "\(name)-\(number)"
            let path = (folder == "/" ? "" : folder) + "/\(candidate).eoss"
            let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 {
                Foundation.close(descriptor)
                // A spill file that an earlier run of this name left belongs to that run.
                if access(RunFileSpill.path(of: path), F_OK) != 0 { return (path, candidate) }
                unlink(path)
            } else if errno != EEXIST {
                throw RunFileError.failedOpening(path, errno)
            }
            number += 1
        }
    }

    /// A run's name comes from a script: it names a file in the folder, and nothing else.
    static func check(_ name: String) throws(RunFileError) {
        // 255 bytes is what file systems take; `-1234.eoss-spill-journal` must fit behind it.
        let longest = 200
        if name.isEmpty { throw .badName(name, reason: "it is empty") }
        if name.hasPrefix(".") { throw .badName(name, reason: "it begins with a dot") }
        if name.utf8.contains(UInt8(ascii: "/")) { throw .badName(name, reason: "it contains a slash") }
        if name.hasControlCharacters { throw .badName(name, reason: "it contains a control character") }
        if name.utf8.count > longest { throw .badName(name, reason: "it is longer than \(longest) bytes") }
    }

    /// Makes a folder with those that it lies in. Returns 0, or the system's error number.
    package static func makeFolder(_ path: String) -> Int32 {
        if mkdir(path, 0o777) == 0 || errno == EEXIST { return 0 }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return errno }
        let failure = makeFolder(String(path[..<slash]))
        return failure != 0 || mkdir(path, 0o777) == 0 || errno == EEXIST ? failure : errno
    }
}
