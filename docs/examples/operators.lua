--- operator:quadratic
local g = run:gradient()
print(run:hessian():quadratic(g))

--- operator:dense
print(run:hessian():dense())

--- operator:top
local top = run:hessian():top(3)
print(top.values, top.residuals, top.products)

--- operator:bottom
print(run:hessian():bottom(2).values)

--- operator:above
print(#run:hessian():above(0.1))

--- operator:norm
print(run:hessian():norm())

--- operator:density
local d = run:hessian():density{ vectors = 2, steps = 20 }
print(d.support, d.outliers[1] and d.outliers[1].value)

--- operator:trace
local t = run:hessian():trace{ samples = 100 }
print(t.value, t.stderr)

--- operator:frobenius
print(run:hessian():frobenius())

--- operator:diagonal
local d = run:hessian():diagonal{ exact = true }
print(d[1])

--- operator:solve
local H = run:hessian()
print(H:solve(run:gradient(), { damping = 1 }))

--- operator:shift
local H = run:hessian()
print(H:shift(0.1):top(1).value - H:top(1).value)

--- operator:product
local H, G = run:hessian(), run:ggn()
print(H:product(G):top(1).value)

--- operator:square
print(run:hessian():square():top(1).value)

--- operator:project_out
local H = run:hessian()
print(H:project_out(H:top(2).vectors):top(1).value)

--- operator:restrict
local H = run:hessian()
print(#H:restrict(H:top(2).vectors))

--- operator:project
local H = run:hessian()
local R = H:restrict(H:top(2).vectors)
print(R:project(run:gradient()))

--- operator:lift
local H = run:hessian()
local R = H:restrict(H:top(2).vectors)
print(R:lift(R:project(run:gradient())):norm())

--- density:at
print(run:hessian():density{ vectors = 2, steps = 20 }:at(0))

--- density:moment
print(run:hessian():density{ vectors = 2, steps = 20 }:moment(2))

--- density:plot
run:hessian():density{ vectors = 2, steps = 20 }:plot("density.svg")

--- preconditioner:precondition
run.optimizer = eoss.optim.rmsprop{ lr = 0.001 }
run:train{ steps = 5 }
print(run:preconditioner():precondition(run:hessian()):top(1).value)

--- preconditioner:power
run.optimizer = eoss.optim.rmsprop{ lr = 0.001 }
run:train{ steps = 5 }
print(run:preconditioner():power(-1, run:gradient()):norm())

--- eoss.average
print(eoss.average{ run:hessian{ batch = { 1, 2 } }, run:hessian{ batch = { 3, 4 } } }:top(1).value)

