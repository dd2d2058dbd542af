-- The edge of stability is selective: of two branches from one state, at the edge and below it, one is ahead on some classes and the other on
-- others; it acts on those whose gradients lie along the top eigenvector, and once the gradients are gone on none.
-- Kwag, Ganesh, Poggio & Beneventano, "Edge of Stability Selectively Shapes Learning Across the Data Distribution", arXiv 2606.04212.
-- See docs/papers/branching.md.
local claims, classes, levels, papers = require "claims", require "classes", require "levels", require "papers"
local p = eoss.params({ data = "fashion_mnist", n = 500, hidden = { 50, 50 }, lr = 0.02, ce_lr = 0.1, lower = 4, forks = { 200, 400, 800, 1600 },
                        time = 10, aligned = 0.3, every = 25, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 5000, hidden = { 200, 200 }, forks = { 1000, 2000, 4000, 8000 }, time = 40 } } })
local ways = { { name = "leaving", loss = "mse", lr = p.lr, lower = 1 }, { name = "entering", loss = "mse", lr = p.lr, lower = p.lower },
               { name = "cross-entropy", loss = "ce", lr = p.ce_lr, lower = 1 } }
local found, shown, last, any = {}, {}, #p.forks, math.huge
for seed = p.seed, p.seed + p.seeds - 1 do
  local data = papers.data(p.data, { n = p.n, seed = seed })
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "tanh", init_scale = 0.5, seed = seed }
  for _, way in ipairs(ways) do
    local run = eoss.run{ name = way.name, model = net, data = data, loss = way.loss, optimizer = eoss.optim.sgd{ lr = way.lr / way.lower },
                          seed = seed, file = seed == p.seed and way.loss == "mse" }
    run:track({ "edge", "lambda_max" }, { every = p.every })
    if seed == p.seed then papers.expect(run, { to = way.lower * p.forks[last], times = 3 * p.seeds }) end
    local middle, sets = run:midpoint(), classes.samples(run)
    for number, step in ipairs(p.forks) do
      run:train{ to = way.lower * step }
      local cosines, norms = classes.alignment(run, sets, middle.params)
      -- Two branches for the same time, at the edge of a rate and below it: one goes on as the run did. All is measured between the oscillations.
      local at, below = run:fork{ name = "at-" .. step, lr = way.lr }, run:fork{ name = "below-" .. step, lr = way.lr / p.lower }
      local a, b, random = at:midpoint(), below:midpoint(), run.params:randn(step)
      eoss.parallel({ at, below }, { time = p.time })
      local astray = classes.losses(run, sets, b.params + random * ((a.params - b.params):norm() / random:norm()))
      local edge, off = classes.losses(run, sets, a.params), classes.losses(run, sets, b.params)
      for c = 1, #sets do -- the effect is positive where the edge is ahead
        local effect, side = math.log(off[c] / edge[c]), cosines[c] > p.aligned and " aligned" or " others"
        claims.gather(found, { way.loss, way.loss .. side, way.name .. side, way.name, way.name .. number }, { y = effect, size = math.abs(effect),
          ahead = effect > 0 and 1 or 0, astray = math.abs(math.log(off[c] / astray[c])), norm = norms[c], x = cosines[c] })
      end
      local function level(branch) return levels.last_third(branch, "lambda_max", way.lower * step, branch.step).mean * way.lr / branch.lr end
      claims.gather(found, { way.loss }, { level = level(at), below = level(below) })
      if seed == p.seed and way.loss == "mse" then table.insert(shown, way.lower == 1 and below or at) end
    end
    if seed == p.seed and way.loss == "mse" then table.insert(shown, run) end
  end
end
local function mean(key, name) return (claims.mean(found[key][name])) end
local function over(name) return mean("mse aligned", name) / mean("mse others", name) end
claims.report(shown, {
  { "a branch comes to its 2/η", "λ_max over it", predicted = 1, measured = found.mse.level, band = { 1, 1.044 }, from = "seeds" },
  { "below, λ_max goes on to grow", "over the edge's 2/η", predicted = "> 1", measured = found.mse.below, band = { 1, any } },
  { "each is ahead on some classes", "share, at the edge", predicted = "in (0, 1)", measured = found.mse.ahead, band = { 0.1, 0.9 } },
  { "the edge acts on those aligned", "|effect| over others'", predicted = "> 1", measured = over("size"), band = { 1, any } },
  { "it brings them on, entering", "their effect", predicted = "> 0", measured = found["entering aligned"].y, band = { 0, any } },
  { "and leaving", "their effect", predicted = "> 0", measured = found["leaving aligned"].y, band = { 0, any } },
  { "a random way as far does not select", "|effect| over others'", predicted = 1, measured = over("astray"), band = { 0.22, 1.5 }, from = "seeds" },
  { "cross-entropy: gradients go", "‖g‖ late over early", predicted = 0,
    measured = mean("cross-entropy" .. last, "norm") / mean("cross-entropy1", "norm"), band = { 0.045, 0.061 }, from = "seeds" },
  { "and the effects with them", "|effect| over mse's", predicted = 0,
    measured = mean("cross-entropy" .. last, "size") / mean("leaving" .. last, "size"), band = { 0.007, 0.027 }, from = "seeds" },
}, { from = "theory" })
local function dots(way) local f = found[way] return { x = f.x, y = f.y, name = way, style = "points" } end
eoss.plot("branching.svg", shown, { { "lambda_max" }, { dots("leaving"), dots("entering"), title = "effect over alignment" } },
  { x = "time", changes = false })
