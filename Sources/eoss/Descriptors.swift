import Foundation

/// The descriptors that the program starts with.
enum Descriptors {
    /// Opens `/dev/null` for each standard stream that is closed. Otherwise the first file that is opened would take its number,
    /// and what is printed would go there. To be called before anything else is opened.
    static func openStandard() {
        for descriptor in STDIN_FILENO...STDERR_FILENO
        where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The lowest free number is taken, which is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// Raises the number of files that may be open from what the shell set (1024, for old programs that call `select`) to what
    /// the system allows, up to 65,536: programs that this one starts may walk over all of them.
    static func raiseLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, 65_536)
        if limit.rlim_cur < wanted {
            limit.rlim_cur = wanted
            // Where it is refused, the lower limit holds, and idle run files are closed earlier.
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < fewFiles {
            openThoseOfDispatch()
        }
    }

    private static let fewFiles: rlim_t = 4096

    /// Dispatch opens a few descriptors when it first waits for something, and ends the process where it gets none. It has them from here
    /// on, whatever is open by then.
    private static func openThoseOfDispatch() {
        let fired = DispatchSemaphore(value: 0)
        let timer = DispatchSource.makeTimerSource()
        timer.setEventHandler { fired.signal() }
        timer.schedule(deadline: .now())
        timer.activate()
        fired.wait()
        timer.cancel()
    }
}
