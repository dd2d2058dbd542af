/// Makes what runs the scripts. The one place of the command line that knows who that is.
func makeHost(_ options: HostOptions) throws(ScriptFailure) -> any ScriptHosting {
    throw .failed("this build of eoss has no script host")
}
