--- eoss.params
local p = eoss.params({ lr = 0.05, hidden = { 8, 8 }, name = "first" }, { scales = { paper = { hidden = { 200, 200 } } } })
print(p.lr, #p.hidden, p.scale)

--- eoss.run
local run = eoss.run{ name = "first", model = net, data = data, loss = "mse",
  optimizer = eoss.optim.momentum{ lr = 0.01 }, batch_size = 4, seed = 1 }
run:train{ steps = 10 }

--- eoss.lockstep
local slow = run:fork{ name = "slow", lr = run.lr / 2 }
eoss.lockstep({ run, slow }, { steps = 10, every = 5, distance = { "params", "outputs" } })

--- eoss.parallel
local slow = run:fork{ name = "slow", lr = run.lr / 2 }
eoss.parallel({ run, slow }, { steps = 10 })

--- eoss.open
run:track("loss", { every = 5 })
run:train{ to = 20 }
local file = eoss.open("run.eoss")
print(file.step, file:series("loss"):last())

--- eoss.runs
run:track("loss", { every = 5 })
run:train{ to = 10 }
for _, summary in ipairs(eoss.runs()) do print(summary.name, summary.step) end

--- eoss.sweep
local sweep = eoss.sweep{ grid = { lr = { 0.02, 0.05 } }, repeats = 2, jobs = 2, run = function(p, name)
  local net = eoss.nn.mlp{ inputs = 1, hidden = { 8 }, outputs = 1, seed = p.seed }
  local run = eoss.run{ name = name, model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = p.lr } }
  run:train{ steps = 5 }
  return { loss = run.loss }
end }
print(sweep:table())

--- eoss.open_sweep
-- eoss sweep experiment.lua --set lr=0.02,0.05 --repeat 3 --out runs/rates
local found, sweep = pcall(eoss.open_sweep, "rates")
print(found and sweep:table() or "there is no sweep yet")

--- sweep:table
local sweep = eoss.sweep{ grid = { x = { 1, 2, 3 } }, run = function(p) return { square = p.x ^ 2 } end }
print(sweep:table("square"))

--- sweep:plot
local sweep = eoss.sweep{ grid = { x = { 1, 2, 3 } }, run = function(p) return { square = p.x ^ 2 } end }
sweep:plot("x", "square", { band = "none" })

--- eoss.plot
local slow = run:fork{ name = "slow", lr = run.lr / 2 }
for _, r in ipairs{ run, slow } do
  r:track("loss", { every = 5 })
  r:train{ to = 20 }
end
eoss.plot("two.svg", { run, slow }, { "loss" })

--- eoss.clock
local start = eoss.clock()
print(eoss.clock() - start < 60)

--- eoss.message
eoss.message("now the long part")

--- eoss.vector
print(eoss.vector({ 3, 4 }):norm())

--- eoss.arrays.load
eoss.arrays.save("xy.npz", { x = { 1, 2 }, y = { { 3, 4 } } })
print(eoss.arrays.load("xy.npz").y:shape()[2])

--- eoss.arrays.save
eoss.arrays.save("xy.safetensors", { x = { 1, 2 }, gradient = run:gradient() })

--- eoss.arrays.from
print(eoss.arrays.from{ { 1, 2 }, { 3, 4 } })

--- help
help(eoss.optim.sgd)
help("lambda_max")
help{ find = "trace" }

--- time
time(function() run:train{ steps = 10 } end)

--- breakpoint
for step, r in run:steps(3) do
  if r.batch_loss > 100 then breakpoint() end
end

--- continue
-- at the prompt of a paused training:
--   > run.lr = run.lr / 2
--   > continue()

--- reload
-- at a prompt, when helpers.lua has been edited:
--   > reload("helpers")

