import LuaBridge

extension ScriptHost {
    /// Checks what a parameter of the script is to be set to, once ``parameters(of:)`` has found what there is.
    /// - Throws: `ScriptFailure` for a parameter that the script does not declare, and for a value of another kind than its default.
    public func check(_ setting: ScriptOptions.Setting) throws(ScriptFailure) {
        do { _ = try parameters.value(of: setting) } catch { throw failure(of: error) }
    }

    /// Whether the script's parameter of this name is a list.
    public func isList(_ name: String) -> Bool { parameters.isList(name) }
}
