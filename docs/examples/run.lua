--- run:track
run:track({ "loss", "lambda_max" }, { every = 10 })
run:track("half_loss", { every = 10, fn = function(r) return r.loss / 2 end })
run:train{ steps = 20 }
print(run:series("half_loss"):last())

--- run:series
run:track("loss", { every = 5 })
run:train{ steps = 20 }
local s = run:series("loss", { from = 10 })
print(#s, s.steps[1], s:mean())

--- run:first
run:track("loss", { every = 5 })
run:train{ steps = 20 }
print(run:first("loss", "<", 1))

--- run:train
local reached = run:train{ to = 100, stop_loss = 1e-3 }
print(reached, run.step, run.loss)

--- run:steps
for step, r in run:steps(10) do
  if r.batch_loss > 10 then break end
end

--- run:at
run:at(10, function(r) r.lr = r.lr / 2 end)
run:train{ to = 20 }

--- run:after
run:train{ to = 10 }
run:after(5, function(r) r.batch_size = 8 end)
run:train{ to = 20 }

--- run:every
run:every(5, function(r) r.state.seen = (r.state.seen or 0) + 1 end)
run:train{ to = 20 }
print(run.state.seen)

--- run:when
run:when(function(r) return r.step > 0 and r.batch_loss < 0.1 end, function(r) print("below 0.1 at step " .. r.step) end)
run:train{ to = 20 }

--- run:alert
run:alert(function(r) return r.step > 0 and r.batch_loss > 100 end, "the loss has left")
run:train{ to = 20 }

--- run:checkpoint
run:train{ to = 10 }
run:checkpoint()

--- run:rewind
run:train{ to = 10 }
run:checkpoint()
run:train{ to = 20 }
run:rewind(10)
print(run.step)

--- run:fork
run:train{ to = 10 }
local fast = run:fork{ name = "fast", lr = 2 * run.lr }
fast:train{ to = 20 }
print(run.step, fast.step)

--- run:costs
run:track("lambda_max", { every = 5 })
run:train{ to = 20 }
print(run:costs())

--- run:estimate
run:track("lambda_max", { every = 5 })
local e = run:estimate{ to = 1000 }
print(string.format("%d steps: about %.1f s, of them %.1f for what is tracked", e.steps, e.seconds, e.probes))

--- run:note
run:train{ to = 20 }
run:note("the loss has come down to " .. run.loss, { loss = run.loss })
local events = eoss.open("run.eoss").events
print(events[#events].data.loss)

--- run:distance
local other = run:fork{ name = "other", lr = run.lr / 2 }
run:train{ to = 10 }
other:train{ to = 10 }
print(run:distance(other), run:distance(other, { what = "outputs" }))

--- run:measure
local bs = run:measure("batch_sharpness", { batch_size = 4, rel_error = 0.05 })
print(bs.value, bs.stderr, bs.samples)

--- run:gradient
local g = run:gradient()
local gb = run:gradient{ batch = { 3, 1, 4 } }
print(g:norm(), g:dot(gb))

--- run:hvp
local g = run:gradient()
print(run:hvp(g):dot(g) / g:dot(g))

--- run:D
local g = run:gradient()
print(run:D(g, g):norm())

--- run:check
for _, line in ipairs(run:check()) do print(line.name, line.error, line.holds) end

--- run:evaluate
local e = run:evaluate{ at = 2 * run.params }
print(e.loss, e.losses[1])

--- run:hessian
local H = run:hessian()
print(#H, H:top(2).values)

--- run:ggn
print(run:ggn{ batch = { 1, 2, 3 } }:top(1).value)

--- run:fisher
print(run:fisher():trace())

--- run:ntk
print(run:ntk():top(1).value)

--- run:preconditioner
run.optimizer = eoss.optim.adam{ lr = 0.001 }
run:train{ steps = 5 }
local P = run:preconditioner()
print(P:precondition(run:hessian()):top(1).value)

--- run:save
run:train{ to = 10 }
run:save("point.safetensors")

--- run:plot
run:track({ "loss", "lambda_max" }, { every = 5 })
run:train{ to = 20 }
run:plot("run.svg", { "loss", "lambda_max" })

--- run:plot_spectrum
run:plot_spectrum("spectrum.svg", { k = 3, vectors = 2, steps = 20 })

--- run:average
local ema = run:average{ decay = 0.9 }
run:train{ to = 20 }
print(ema.loss)

--- run:midpoint
run:train{ to = 10 }
local middle = run:midpoint()
print(middle.loss, middle:measure("lambda_max").value)

--- run:layers
print(run:layers())

--- run:slice
local line = run:slice{ along = run:gradient(), from = -0.1, to = 0.1, points = 5 }
local plane = run:slice{ along = { "gradient", "top_eigenvector" }, from = -0.1, to = 0.1, points = 5 }
print(line.losses, plane.lowest)

--- run:plot_slice
run:plot_slice("slice.svg", { along = { "gradient", "top_eigenvector" }, from = -0.1, to = 0.1, points = 5 })

--- run:self_stabilization
local net = eoss.nn.mlp{ inputs = 1, hidden = { 8 }, outputs = 1, activation = "tanh", init_scale = 1, dtype = "f64" }
local full = eoss.run{ name = "gd", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.105 } }
local forecast = full:self_stabilization{ steps = 5, within = 200 }
print(forecast)

--- series:mean
run:track("loss", { every = 1 })
run:train{ to = 10 }
print(run:series("loss"):mean())

--- series:median
run:track("loss", { every = 1 })
run:train{ to = 10 }
print(run:series("loss"):median())

--- series:last
run:track("loss", { every = 1 })
run:train{ to = 10 }
print(run:series("loss"):last())

--- series:over
run:track({ "lambda_max", "edge" }, { every = 5 })
run:train{ to = 10 }
print(run:series("lambda_max"):over(run:series("edge")):last())

--- series:array
run:track("sketch", { every = 5 })
run:train{ to = 10 }
print(run:series("sketch"):array(1))

--- series:distance
run:track("sketch", { every = 5 })
local other = run:fork{ name = "other", lr = run.lr / 2 }
run:train{ to = 10 }
other:train{ to = 10 }
print(run:series("sketch"):distance(other:series("sketch")):last())

--- costs:of
run:track("loss", { every = 1 })
run:train{ to = 10 }
print(run:costs():of("loss").share)

--- average:measure
local ema = run:average{ decay = 0.9 }
run:train{ to = 10 }
print(ema:measure("lambda_max").value)

--- forecast:predicted
local net = eoss.nn.mlp{ inputs = 1, hidden = { 8 }, outputs = 1, activation = "tanh", init_scale = 1, dtype = "f64" }
local full = eoss.run{ name = "gd", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.105 } }
local forecast = full:self_stabilization{ steps = 5, within = 200 }
print(forecast:predicted("sharpness"))

--- forecast:real
local net = eoss.nn.mlp{ inputs = 1, hidden = { 8 }, outputs = 1, activation = "tanh", init_scale = 1, dtype = "f64" }
local full = eoss.run{ name = "gd", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.105 } }
local forecast = full:self_stabilization{ steps = 5, within = 200 }
print(forecast:real("sharpness"))

--- forecast:error
local net = eoss.nn.mlp{ inputs = 1, hidden = { 8 }, outputs = 1, activation = "tanh", init_scale = 1, dtype = "f64" }
local full = eoss.run{ name = "gd", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.105 } }
local forecast = full:self_stabilization{ steps = 5, within = 200 }
print(forecast:error("sharpness"))

--- lockstep:series
local slow = run:fork{ name = "slow", lr = run.lr / 2 }
local pair = eoss.lockstep({ fast = run, slow = slow }, { steps = 10, distance = { "params" } })
print(pair:series("params", "fast", "slow"):last())

--- slice:point
local line = run:slice{ along = run:gradient(), from = -0.1, to = 0.1, points = 5 }
print(run:evaluate{ at = line:point(0.05) }.loss)

--- runfile:series
run:track("loss", { every = 1 })
run:train{ to = 10 }
print(eoss.open("run.eoss"):series("loss"):last())

--- runfile:first
run:track("loss", { every = 1 })
run:train{ to = 10 }
print(eoss.open("run.eoss"):first("loss", "<", 10))

--- runfile:at
run:track("loss", { every = 5 })
run:train{ to = 10 }
run:checkpoint()
run:train{ to = 12 }
print(eoss.open("run.eoss"):at(10).step)

--- runfile:compare
run:track("loss", { every = 5 })
local fast = run:fork{ name = "fast", lr = 2 * run.lr }
run:train{ to = 10 }
fast:train{ to = 10 }
print(eoss.open("run.eoss"):compare(eoss.open("fast.eoss")))

--- runfile:save_figure
run:track("loss", { every = 5 })
run:train{ to = 10 }
run:plot("loss.svg", { "loss" })
eoss.open("run.eoss"):save_figure("loss.svg", "copy.svg")

--- runsummary:open
run:track("loss", { every = 5 })
run:train{ to = 10 }
for _, summary in ipairs(eoss.runs()) do print(summary:open():series("loss"):last()) end

--- runfile:plot
run:track("loss", { every = 5 })
run:train{ to = 10 }
eoss.open("run.eoss"):plot("again.svg", { "loss" })
