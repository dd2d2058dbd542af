import CLua

/// Requests to a running script, settable from any thread.
///
/// A *stop* ends the script: it cannot be caught, and stays until `clearStop()`. A *pause* only asks: the host looks at
/// `isPauseRequested` where it can pause, such as between two steps of training. Lua alone cannot be paused: where a pause has a
/// patience it becomes a stop there.
public final class Interrupt: @unchecked Sendable {
    // Sendable: the C structure behind the pointer consists of atomics, and the pointer never changes.
    let control: OpaquePointer

    /// Nil where there is no memory for a few words.
    public init?() {
        guard let control = clua_control_new() else { return nil }
        self.control = control
    }

    deinit { clua_control_free(control) }

    public func requestStop() { clua_control_request_stop(control) }
    public func clearStop() { clua_control_clear_stop(control) }
    public var stopReason: StopReason? {
        switch clua_control_stop(control) {
        case CLUA_STOP_REQUESTED: .requested
        case CLUA_STOP_RUNAWAY: .runaway
        default: nil
        }
    }

    /// - Parameter patience: seconds after which a script that runs Lua, and has not come to where the host answers, is stopped.
    public func requestPause(patience: Double = .infinity) { clua_control_request_pause(control, patience) }
    public func clearPause() { clua_control_clear_pause(control) }
    public var isPauseRequested: Bool { clua_control_pausing(control) }

    /// Seconds since the stop was requested, nil while there is none.
    public var stopAge: Double? {
        let age = clua_control_stop_age(control)
        return age < 0 ? nil : age
    }
}
