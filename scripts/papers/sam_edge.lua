-- SAM has an edge of stability of its own, (4/η)/(1 + √(1 + 8ρ/(η‖g‖))): below 2/η, the lower the smaller the gradient; λ_max goes there.
-- Long & Bartlett, "Sharpness-Aware Minimization and the Edge of Stability", arXiv 2309.12488. See docs/papers/sam_edge.md.
local claims, papers = require "claims", require "papers"
local p = eoss.params({ data = "fashion_mnist", n = 200, hidden = { 64, 64 }, lr = 0.05, rhos = { 0, 0.01, 0.03, 0.1 }, steps = 4000, every = 25,
                        parts = 4, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 1000, hidden = { 200, 200, 200 }, steps = 20000 } } })
-- Batches are a list that comes round, so that the one of the next step is known.
local function start(rho, parts, seed)
  local data, batches = papers.data(p.data, { n = p.n, seed = seed }), {}
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "tanh", init_scale = 0.2, seed = seed }
  for part = 1, parts do batches[part] = {} end
  for i = 1, p.n do table.insert(batches[(i - 1) % parts + 1], i) end
  local run = eoss.run{ name = "sam_edge-" .. rho, model = net, data = data, loss = "half_mse", optimizer = eoss.optim.sam{ lr = p.lr, rho = rho },
                        sampling = batches, seed = seed, file = seed == p.seed and parts == 1 }
  run:track({ "loss", "lambda_max", "gradient_norm" }, { every = p.every })
  return run, batches, run:track("edge", { every = p.every, of = "lambda_max" })
end
local function mean(run, name, from, to) return run:series(name, { from = p.steps * from // 6 + 1, to = p.steps * to // 6 }):mean() end
-- How much a quantity falls from the third to the last sixth of the steps, in logarithms.
local function fall(run, name) return math.log(mean(run, name, 2, 3) / mean(run, name, 5, 6)) end
local function along(u, g) return math.abs(g:dot(u)) / g:norm() end -- which part of a gradient lies along u
local curves, found, list, largest = {}, {}, {}, p.rhos[#p.rhos]
papers.expect(start(largest, 1, p.seed), { to = p.steps, times = p.seeds * #p.rhos })
for seed = p.seed, p.seed + p.seeds - 1 do
  for _, rho in ipairs(p.rhos) do
    for _, parts in ipairs(rho > 0 and { 1, p.parts } or { 1 }) do
      local run, batches = start(rho, parts, seed)
      local here, uphill, norm, batch, n = 0, 0, 0, 0, 0
      if parts == 1 and seed == p.seed then curves[#curves + 1] = run end
      run:train{ to = p.steps * 2 // 3 }
      while run.step < p.steps do
        local B, g, u = batches[run.step % parts + 1], run:gradient(), run:hessian():top(1, { tolerance = 1e-4 }).vectors[1]
        local size, root = run:hessian{ batch = B }:norm(), math.sqrt(1 + 8 * rho / (p.lr * run:gradient{ batch = B }:norm()))
        here, uphill = here + along(u, g), uphill + along(u, run:gradient{ at = run.params + rho / g:norm() * g })
        norm, batch, n = norm + size / run:measure("lambda_max").value, batch + size * p.lr / 4 * (1 + root), n + 1
        run:train{ to = math.min(p.steps, run.step + 3 * p.every) }
      end
      claims.gather(found, { parts .. " rho " .. rho, parts .. (rho > 0 and " sam" or " gd") }, { level = run:series("lambda_max",
        { from = p.steps * 2 // 3 }):over(run:series("edge_lambda_max")):mean(), of = mean(run, "lambda_max", 4, 6) * p.lr / 2, fall =
        fall(run, "lambda_max") / fall(run, "edge_lambda_max"), norm = norm / n, batch = batch / n, uphill = uphill / here })
    end
  end
end
local function claim(text, quantity, predicted, measured, band, from)
  list[#list + 1] = { text, quantity, predicted = predicted, measured = measured, band = band or { 0.9, 1.1 }, from = from or "theory" }
end
for _, rho in ipairs(p.rhos) do
  claim("ρ = " .. rho .. (rho > 0 and ": to SAM's edge" or ", descent: to 2/η"), "λ_max over the edge", 1, found["1 rho " .. rho].level)
end
local most, parts = found["1 rho " .. largest], found[p.parts .. " sam"]
claim("ρ = " .. largest .. ": far below 2/η", "λ_max over 2/η", "< 1", most.of, { 0.078, 0.098 }, "seeds")
claim("λ_max falls as the edge does with ‖g‖", "its fall over the edge's", 1, found["1 sam"].fall)
claim("the largest |λ| is λ_max", "the one over the other", 1, found["1 sam"].norm, { 0.99, 1.01 })
claim("ρ = " .. largest .. ": uphill the gradient lies more along u", "cosine over that here", "> 1", most.uphill, { 1, math.huge })
claim("batches of n/" .. p.parts .. ": |λ| and ‖g‖ of the current batch", "|λ| over the edge", 1, parts.batch)
claim("batches of n/" .. p.parts .. ": λ_max and ‖g‖ of all samples", "λ_max over the edge", 1, parts.level)
claims.report(curves, list)
local equal = { x = { 0.1 / p.lr, 2 / p.lr }, y = { 0.1 / p.lr, 2 / p.lr }, name = "equal" }
eoss.plot("sam_edge.svg", curves, { { "lambda_max", title = "λ_max, and SAM's edge" }, { "gradient_norm", title = "‖g‖" },
  { "lambda_max", equal, x = "edge_lambda_max", log_x = true, title = "λ_max over SAM's edge" } }, { from = p.steps // 5, log = true })
