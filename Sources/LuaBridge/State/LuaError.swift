/// Why a script was made to end.
public enum StopReason: Sendable, Equatable {
    /// `Interrupt.requestStop()` was called: Ctrl-C, a signal, another thread.
    case requested
    /// The script ran longer than `LuaState.Configuration.patience` without a call into the host.
    case runaway
}

/// An error that came out of Lua, or passed through it.
///
/// A Swift error thrown inside a function called from Lua arrives, on the other side of any number of Lua and Swift frames, as
/// a `LuaError` whose `underlying` is that very error; `position` and `traceback` say where the script stood.
public struct LuaError: Error, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// Raised by the script or by Lua itself.
        case script
        /// Thrown by a Swift function that the script called: see `underlying`.
        case host
        /// The text does not compile.
        case syntax
        /// The text ends too early: more lines could complete it. Only `LuaState.evaluate` tells this apart.
        case incomplete
        /// The script needs more memory than `LuaState.Configuration.memoryLimit`.
        case memory
        /// Too many nested calls.
        case stackOverflow
        /// A stop on its way out.
        case stopped(StopReason)
        /// A value or a state was used after its life.
        case misuse
    }

    public var kind: Kind
    /// What went wrong, without the position.
    public var message: String
    /// `file:line` of the innermost Lua function, where one ran.
    public var position: String?
    /// The Lua frames, innermost first, a line each; empty where none ran.
    public var traceback: String
    /// The Swift error that a function called from Lua threw.
    public var underlying: (any Error)?
    /// The Lua value that was raised, where it is not a text: raised again if this error returns to Lua.
    var raised: Anchor?

    public init(
        _ kind: Kind, _ message: String, position: String? = nil, traceback: String = "",
        underlying: (any Error)? = nil
    ) {
        self.kind = kind
        self.message = message
        self.position = position
        self.traceback = traceback
        self.underlying = underlying
    }

    /// `file:line: message`, as Lua prints errors.
    public var description: String { position.map { "\($0): \(message)" } ?? message }

    /// The description, and below it the traceback where there is one.
    public var fullDescription: String {
        traceback.isEmpty
            ? description
            : "\(description)\nstack traceback:\n    "
                + traceback.split(separator: "\n").joined(separator: "\n    ")
    }
}

/// A call that does not fit the declaration of what is called: the message says what was expected and what came.
public struct ArgumentError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// The Swift object behind an error value in Lua.
final class ErrorObject {
    var error: LuaError

    init(_ error: LuaError) { self.error = error }
}
