import Foundation
import GRDB

/// What can go wrong with a run file. `description` is one sentence for the user: the path, the reason, the remedy.
public enum RunFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name of a run cannot be the name of a file.
    case badName(String, reason: String)
    /// The file, or the folder that should hold it, could not be made.
    case cannotCreate(path: String, reason: String)
    /// A commit failed. What was committed before stands; what was not is kept and tried again at the next commit.
    case cannotWrite(path: String, reason: String)
    /// The disk is full. What was committed before stands; what was not is kept and tried again at the next commit.
    case diskFull(path: String)
    /// The process may open no more files.
    case tooManyFiles(path: String)
    /// Bytes that one SQLite value cannot hold.
    case tooLarge(what: String, bytes: Int, limit: Int)
    /// The file was closed and takes no more measurements.
    case closed(path: String)
    /// The file cannot be opened or read.
    case cannotRead(path: String, reason: String)
    /// Another program has it for itself.
    case locked(path: String)
    /// The file is something else.
    case notARunFile(path: String, reason: String)
    /// The file was written by a newer eoss.
    case newerFormat(path: String, version: Int, ours: Int)
    /// The file was written by an older eoss, and can be read but not gone on with.
    case olderFormat(path: String, version: Int)
    /// A process still writes to the file.
    case inUse(path: String, process: Int, host: String)
    /// The file was a run file once.
    case damaged(path: String, reason: String)
    /// The file holds no such thing.
    case missing(path: String, what: String)

    /// What is said of a lock.
    package static let otherProgram = "another program has locked it; close that program"

    public var description: String {
        switch self {
        case .badName(let name, let reason):
            "the run name '\(String(name.prefix(200)).printable)' cannot be a file name: \(reason); choose another name"
        case .cannotCreate(let path, let reason):
            "cannot make the run file '\(path)': \(reason); choose another folder with --out DIR"
        case .cannotWrite(let path, let reason):
            "cannot write to the run file '\(path)': \(reason); what was committed before is safe"
        case .diskFull(let path):
            "the disk is full: cannot write to the run file '\(path)'; what was committed before is safe, "
                + "free some space, or choose a folder on another disk with --out DIR"
        case .tooManyFiles(let path):
            "cannot open '\(path)': too many open files; raise the limit, which 'ulimit -n' shows, or keep fewer files open"
        case .tooLarge(let what, let bytes, let limit):
            "\(what) is too large for a run file: \(bytes) bytes, and SQLite holds at most \(limit) in one value; "
                + "save it to a file of its own"
        case .closed(let path):
            "the run file '\(path)' is closed and takes no more measurements"
        case .cannotRead(let path, let reason):
            "cannot read '\(path)': \(reason)"
        case .locked(let path):
            "cannot read '\(path)': \(Self.otherProgram)"
        case .notARunFile(let path, let reason):
            "'\(path)' is not a run file of eoss: \(reason)"
        case .newerFormat(let path, let version, let ours):
            "'\(path)' was written by a newer eoss (file format \(version), this one reads \(ours)): update eoss"
        case .olderFormat(let path, let version):
            "'\(path)' was written by an older eoss (file format \(version)), which kept no state to go on from: it can be "
                + "read, and its script run again"
        case .inUse(let path, let process, let host):
            "the run of '\(path)' is still going on, in process \(process) of \(host): wait for it, or end it first"
        case .damaged(let path, let reason):
            "the run file '\(path)' is damaged: \(reason); use a copy of it if there is one"
        case .missing(let path, let what):
            "the run file '\(path)' holds no \(what)"
        }
    }

    /// The error of a failed write, from what GRDB threw.
    static func writing(_ path: String, _ error: any Error) -> RunFileError {
        if let error = error as? RunFileError { return error }
        if let damage = error as? MeasurementChunk.Damage { return .damaged(path: path, reason: damage.reason) }
        guard let error = error as? DatabaseError else { return .cannotWrite(path: path, reason: words(for: error)) }
        switch error.resultCode {
        case .SQLITE_FULL: return .diskFull(path: path)
        case .SQLITE_READONLY where error.extendedResultCode == .SQLITE_READONLY_DBMOVED:
            return .cannotWrite(path: path, reason: "it was moved or deleted; put it back")
        case .SQLITE_CANTOPEN where areDescriptorsShort: return .tooManyFiles(path: path)
        case .SQLITE_READONLY,
            .SQLITE_CANTOPEN where !isWritable(path):
            return .cannotWrite(path: path, reason: "the file, or the folder it lies in, is read-only")
        case .SQLITE_BUSY:
            return .cannotWrite(path: path, reason: otherProgram)
        case .SQLITE_TOOBIG: return .cannotWrite(path: path, reason: "a value is too large for SQLite")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .damaged(path: path, reason: "SQLite says: \(message(error))")
        default: return .cannotWrite(path: path, reason: "SQLite says: \(message(error))")
        }
    }

    /// The error of a failed read, from what GRDB threw.
    static func reading(_ path: String, _ error: any Error) -> RunFileError {
        if let error = error as? RunFileError { return error }
        if let damage = error as? MeasurementChunk.Damage { return .damaged(path: path, reason: damage.reason) }
        guard let error = error as? DatabaseError else {
            return .damaged(path: path, reason: "a value is not of the kind that eoss writes")
        }
        switch error.resultCode {
        case .SQLITE_BUSY: return .locked(path: path)
        case .SQLITE_NOTADB: return .notARunFile(path: path, reason: "it is not an SQLite database")
        case .SQLITE_INTERRUPT: return .damaged(path: path, reason: ReadingLimit.reason)
        case .SQLITE_CANTOPEN where areDescriptorsShort: return .tooManyFiles(path: path)
        case .SQLITE_CANTOPEN where access(path, R_OK) != 0:
            return .cannotRead(path: path, reason: String(cString: strerror(errno)))
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_NOMEM:
            return .cannotRead(path: path, reason: "SQLite says: \(message(error))")
        case .SQLITE_READONLY:
            return .cannotRead(
                path: path,
                reason: "its last commit was cut off, and mending it needs the right to write to it and its folder")
        default: return .damaged(path: path, reason: "SQLite says: \(message(error))")
        }
    }

    /// The error of a file that could not be made or opened, from the system's number.
    static func failedOpening(_ path: String, _ number: Int32) -> RunFileError {
        switch number {
        case EMFILE, ENFILE: .tooManyFiles(path: path)
        case ENOSPC, EDQUOT: .diskFull(path: path)
        default: .cannotCreate(path: path, reason: String(cString: strerror(number)))
        }
    }

    /// SQLite says only that it cannot open a file; whether for want of descriptors is asked of the system.
    private static var areDescriptorsShort: Bool {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return errno == EMFILE || errno == ENFILE }
        close(descriptor)
        return false
    }

    /// Whether the file and its folder, in which SQLite makes a journal, may be written to.
    private static func isWritable(_ path: String) -> Bool {
        access(path, W_OK) == 0 && access((path as NSString).deletingLastPathComponent, W_OK) == 0
    }

    private static func message(_ error: DatabaseError) -> String {
        error.message ?? "error \(error.extendedResultCode.rawValue)"
    }
}
