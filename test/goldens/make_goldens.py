"""Writes the golden JSON files next to this script: results of PyTorch in float64.

    apt-get install python3-torch          # Debian 12: PyTorch 1.13
    /usr/bin/python3 test/goldens/make_goldens.py

The output is deterministic. Each file has its own seed, so cases can be added to one file
without changing the others. Inputs are multiples of 1/256: short, and exact in float32.
gammabeta's names are camelCase, PyTorch's are snake_case. The weight of Dense is [in, out],
that of PyTorch's Linear is [out, in], so weights are written transposed.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


# --- writing -----------------------------------------------------------------------------------


def plain(value):
    """Converts tensors to { shape, data }, also inside dicts, lists and tuples."""
    if isinstance(value, torch.Tensor):
        flat = (value.detach() + 0).flatten().tolist()  # + 0 turns -0 into 0
        return {"shape": list(value.shape), "data": flat}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def dump(value):
    return json.dumps(plain(value), separators=(",", ":"), allow_nan=False)


def write(name, **lists):
    """Writes one case per line, so that a diff shows which case changed."""
    fields = ['"madeBy": "make_goldens.py"', f'"torch": {dump(torch.__version__)}']
    for key, cases in lists.items():
        fields.append(f'"{key}": [\n' + ",\n".join(map(dump, cases)) + "\n]")
    text = "{\n" + ",\n".join(fields) + "\n}\n"
    Path(__file__).with_name(name).write_text(text, encoding="utf-8")


# --- inputs ------------------------------------------------------------------------------------


def short(x):
    return torch.round(x * 256) / 256


def randn(*shape):
    return short(torch.randn(shape))


def leaf(x):
    return x.detach().clone().requires_grad_()


def snake(options):
    """Renames options: { weightDecay: 1 } to { weight_decay: 1 }."""
    return {"".join("_" + c.lower() if c.isupper() else c for c in key): value
            for key, value in options.items()}


# --- batchnorm.json ----------------------------------------------------------------------------


def batchnorm_step(layer, mode, x):
    layer.train(mode == "train")
    layer.zero_grad(set_to_none=True)
    x, g = leaf(x), randn(*x.shape)
    y = layer(x)
    y.backward(g)
    state = [layer.running_mean, layer.running_var, layer.num_batches_tracked]
    mean, var, count = [None if s is None else s.clone() for s in state]
    return {
        "mode": mode, "x": x, "g": g, "y": y, "dx": x.grad,
        "dgamma": layer.weight.grad if layer.affine else None,
        "dbeta": layer.bias.grad if layer.affine else None,
        "runningMean": mean, "runningVar": var,
        "numBatchesTracked": None if count is None else count.item(),
    }


def batchnorm_case(name, shape, modes, offset=0.0, **changed):
    options = {"eps": 1e-5, "momentum": 0.1, "affine": True, "trackRunningStats": True, **changed}
    features = shape[1]
    layer = nn.BatchNorm1d(features, **snake(options))
    gamma = beta = None
    if layer.affine:
        gamma, beta = 1 + randn(features) / 2, randn(features)
        layer.weight.data, layer.bias.data = gamma.clone(), beta.clone()
    scale, centre = 1 + torch.rand(shape[:2])[:1], torch.randn(shape[:2])[:1]  # per feature
    if len(shape) == 3:
        scale, centre = scale[..., None], centre[..., None]
    data = [short(offset + centre + scale * torch.randn(shape)) for _ in modes]
    steps = [batchnorm_step(layer, mode, x) for mode, x in zip(modes, data)]
    return {"name": name, "options": options, "gamma": gamma, "beta": beta, "steps": steps}


def make_batchnorm():
    torch.manual_seed(1)
    train, several = ["train"], ["train"] * 4
    write("batchnorm.json", cases=[
        batchnorm_case("train, 2-D", [5, 3], train),
        batchnorm_case("several steps, then eval", [6, 4], several + ["eval"]),
        batchnorm_case("momentum null: cumulative average", [5, 3], several + ["eval"],
                       momentum=None),
        batchnorm_case("affine off", [5, 3], train + ["eval"], affine=False),
        batchnorm_case("running statistics off", [5, 3], train + ["eval"],
                       trackRunningStats=False),
        batchnorm_case("3-D, then eval", [4, 3, 5], ["train", "train", "eval"]),
        batchnorm_case("gradients in eval", [7, 3], ["train", "train", "eval", "eval"]),
        batchnorm_case("eval before any training", [5, 3], ["eval"]),
        batchnorm_case("large offset", [8, 3], ["train", "train", "eval"], offset=1e4),
        batchnorm_case("two values per feature", [2, 4], ["train", "eval"]),
        batchnorm_case("eps 1e-3, momentum 0.01", [5, 3], several + ["eval"],
                       eps=1e-3, momentum=0.01),
    ])


# --- layernorm.json ----------------------------------------------------------------------------


def layernorm_case(name, shape, layer, groups=None, affine=True, offset=0.0, eps=1e-5):
    """LayerNorm over the last axis, or GroupNorm with `groups`."""
    gamma = beta = None
    if affine:
        features = layer.weight.shape[0]
        gamma, beta = 1 + randn(features) / 2, randn(features)
        layer.weight.data, layer.bias.data = gamma.clone(), beta.clone()
    scale = 1 + torch.rand(shape[:1] + [1] * (len(shape) - 1))  # per example
    x, g = leaf(short(offset + scale * torch.randn(shape))), randn(*shape)
    y = layer(x)
    y.backward(g)
    return {"name": name, "groups": groups, "features": shape[-1 if groups is None else 1],
            "options": {"eps": eps, "affine": affine}, "gamma": gamma, "beta": beta,
            "x": x, "g": g, "y": y, "dx": x.grad,
            "dgamma": layer.weight.grad if affine else None,
            "dbeta": layer.bias.grad if affine else None}


def layer_case(name, shape, affine=True, eps=1e-5, **changed):
    layer = nn.LayerNorm(shape[-1], eps=eps, elementwise_affine=affine)
    return layernorm_case(name, shape, layer, affine=affine, eps=eps, **changed)


def group_case(name, groups, shape, affine=True, eps=1e-5, **changed):
    layer = nn.GroupNorm(groups, shape[1], eps=eps, affine=affine)
    return layernorm_case(name, shape, layer, groups, affine=affine, eps=eps, **changed)


def make_layernorm():
    torch.manual_seed(10)
    write("layernorm.json", cases=[
        layer_case("2-D", [5, 7]),
        layer_case("one row", [1, 6]),
        layer_case("1-D", [6]),
        layer_case("3-D", [2, 3, 5]),
        layer_case("more than one vector", [3, 37]),
        layer_case("affine off", [4, 9], affine=False),
        layer_case("large offset", [4, 8], offset=1e4),
        layer_case("eps 1e-3", [4, 5], eps=1e-3),
        group_case("one group, 2-D", 1, [4, 6]),
        group_case("two groups, 2-D", 2, [4, 6]),
        group_case("one group", 1, [3, 4, 5]),
        group_case("two groups", 2, [3, 4, 5]),
        group_case("as many groups as channels", 4, [3, 4, 5]),
        group_case("4-D", 2, [2, 4, 3, 2]),
        group_case("affine off", 2, [3, 4, 5], affine=False),
        group_case("large offset", 2, [3, 4, 5], offset=1e4),
    ])


# --- cross-entropy.json ------------------------------------------------------------------------


def cross_entropy_case(name, logits, labels, **changed):
    options = {"reduction": "mean", "labelSmoothing": 0.0, "ignoreIndex": -100, **changed}
    logits, labels = leaf(logits), torch.tensor(labels)
    loss = F.cross_entropy(logits, labels, **snake(options))
    g = randn(*loss.shape) if loss.dim() else torch.ones(())
    loss.backward(g)
    return {"name": name, "options": options, "logits": logits, "labels": labels,
            "loss": loss, "g": g, "dlogits": logits.grad}


def mse_case(reduction):
    predictions, targets = leaf(randn(4, 3)), randn(4, 3)
    loss = F.mse_loss(predictions, targets, reduction=reduction)
    g = randn(*loss.shape) if loss.dim() else torch.ones(())
    loss.backward(g)
    return {"name": reduction, "options": {"reduction": reduction},
            "predictions": predictions, "targets": targets,
            "loss": loss, "g": g, "dpredictions": predictions.grad}


def make_cross_entropy():
    torch.manual_seed(2)
    huge = short(torch.rand(6, 4) * 1000 - 500)
    huge[0] = torch.tensor([500.0, -500.0, 0.0, 499.5])
    huge[1] = torch.tensor([500.0, 500.0, 500.0, 500.0])
    huge[2] = torch.tensor([-500.0, -500.0, -500.0, -499.0])
    kinds = [
        ("plain", lambda: 2 * randn(6, 4), [0, 3, 1, 2, 2, 0], -100),
        ("some labels are -100", lambda: 2 * randn(6, 4), [0, -100, 1, 2, -100, 3], -100),
        ("class 2 is ignored", lambda: 2 * randn(6, 4), [0, 2, 1, 2, 3, 3], 2),
        ("logits up to 500", lambda: huge, [1, 0, 3, 2, 1, 3], -100),
    ]
    cases = [
        cross_entropy_case(f"{kind}, {reduction}, smoothing {smoothing}", logits(), labels,
                           reduction=reduction, labelSmoothing=smoothing, ignoreIndex=ignore)
        for kind, logits, labels, ignore in kinds
        for smoothing in (0.0, 0.1)
        for reduction in ("mean", "sum", "none")
    ]
    squares = [mse_case(reduction) for reduction in ("mean", "sum", "none")]
    weights = torch.tensor([0.5, 2.0, 0.0, 3.25])
    cases += [
        cross_entropy_case(f"class weights, {kind}, {reduction}, smoothing {smoothing}",
                           2 * randn(6, 4), labels, weight=weights,
                           reduction=reduction, labelSmoothing=smoothing, ignoreIndex=ignore)
        for kind, labels, ignore in [
            ("plain", [0, 3, 1, 2, 2, 0], -100),
            ("some labels are -100", [0, -100, 1, 2, -100, 3], -100),
            ("class 3 is ignored", [0, 2, 1, 3, 3, 1], 3),
        ]
        for smoothing in (0.0, 0.1, 1.0)
        for reduction in ("mean", "sum", "none")
    ]
    cases += [
        cross_entropy_case(f"smoothing 1, {reduction}", 2 * randn(6, 4), [0, -100, 1, 2, -100, 3],
                           reduction=reduction, labelSmoothing=1.0)
        for reduction in ("mean", "sum", "none")
    ]
    write("cross-entropy.json", crossEntropy=cases, mse=squares)


# --- bce-with-logits.json, huber.json ----------------------------------------------------------


def bce_case(name, z, y, **options):
    z = leaf(z)
    loss = F.binary_cross_entropy_with_logits(z, y, **snake(options))
    g = randn(*loss.shape) if loss.dim() else torch.ones(())
    loss.backward(g)
    return {"name": name, "options": options, "z": z, "y": y, "loss": loss, "g": g, "dz": z.grad}


def make_bce():
    torch.manual_seed(7)
    hard, soft = torch.tensor([[1.0], [0.0], [1.0], [0.0]]), short(torch.rand(4, 1))
    large = torch.tensor([[500.0], [500.0], [-500.0], [-500.0]])
    rows = short(torch.rand(4, 3))
    per_question, per_value = short(4 * torch.rand(3)), short(2 * torch.rand(4, 3))
    inputs = [
        ("labels 0 and 1", lambda: 2 * randn(4, 1), hard, {}),
        ("targets between 0 and 1", lambda: 2 * randn(4, 1), soft, {}),
        ("logits of 500", lambda: large, hard, {}),
        ("one axis", lambda: 2 * randn(4), hard.flatten(), {}),
        ("several questions", lambda: 2 * randn(4, 3), rows, {}),
        ("posWeight", lambda: 2 * randn(4, 3), rows, {"posWeight": per_question}),
        ("weight", lambda: 2 * randn(4, 3), rows, {"weight": per_value}),
        ("both weights", lambda: 2 * randn(4, 3), rows,
         {"weight": per_value, "posWeight": per_question}),
    ]
    write("bce-with-logits.json", cases=[
        bce_case(f"{name}, {reduction}", z(), y, reduction=reduction, **weights)
        for name, z, y, weights in inputs
        for reduction in ("mean", "sum", "none")
    ])


def huber_case(reduction, delta):
    predictions, targets = 2 * randn(4, 3), 2 * randn(4, 3)
    targets[0, 0] = predictions[0, 0]
    targets[1, 1] = predictions[1, 1] + delta
    predictions = leaf(predictions)
    loss = F.huber_loss(predictions, targets, reduction=reduction, delta=delta)
    g = randn(*loss.shape) if loss.dim() else torch.ones(())
    loss.backward(g)
    return {"name": f"{reduction}, delta {delta}",
            "options": {"reduction": reduction, "delta": delta},
            "predictions": predictions, "targets": targets,
            "loss": loss, "g": g, "dpredictions": predictions.grad}


def make_huber():
    torch.manual_seed(8)
    write("huber.json", cases=[
        huber_case(reduction, delta)
        for delta in (1.0, 0.25, 4.0)
        for reduction in ("mean", "sum", "none")
    ])


# --- optimizers.json ---------------------------------------------------------------------------

SGD = {"lr": 0.1, "momentum": 0, "dampening": 0, "nesterov": False, "weightDecay": 0}
ADAM = {"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weightDecay": 0, "amsgrad": False}
ADAMW = {**ADAM, "weightDecay": 0.01}
RMSPROP = {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0, "centered": False,
           "weightDecay": 0}


def optimizer_case(name, optimizer, defaults, groups=None, no_gradient_at=(), **changed):
    """`no_gradient_at`: the steps in which the second parameter has no gradient."""
    options = {**defaults, **changed}
    initial = [randn(3, 2), randn(2)]
    parameters = [leaf(p) for p in initial]
    given = parameters
    if groups:
        given = [{**snake(group), "params": [parameters[i] for i in group["params"]]}
                 for group in groups]
    algorithm = getattr(torch.optim, optimizer)(given, **snake(options))
    steps = []
    for t in range(10):
        # One large gradient: without it, AMSGrad would give the same results as Adam.
        gradients = [randn(*p.shape) * (64 if t == 2 else 1) for p in initial]
        if t in no_gradient_at:
            gradients[1] = None
        for p, gradient in zip(parameters, gradients):
            p.grad = None if gradient is None else gradient.clone()
        algorithm.step()
        steps.append({"gradients": gradients,
                      "parameters": [p.detach().clone() for p in parameters]})
    case = {"name": name, "optimizer": optimizer, "options": options}
    if groups:
        case["groups"] = groups
    return {**case, "initial": initial, "steps": steps}


def make_optimizers():
    torch.manual_seed(3)
    case = optimizer_case
    write("optimizers.json", cases=[
        case("SGD", "SGD", SGD),
        case("SGD, momentum", "SGD", SGD, momentum=0.9),
        case("SGD, momentum, dampening", "SGD", SGD, momentum=0.9, dampening=0.5),
        case("SGD, nesterov", "SGD", SGD, momentum=0.9, nesterov=True),
        case("SGD, weight decay", "SGD", SGD, weightDecay=0.1),
        case("SGD, momentum, nesterov, weight decay", "SGD", SGD,
             momentum=0.9, nesterov=True, weightDecay=0.1),
        case("SGD, two parameter groups", "SGD", SGD, groups=[
            {"params": [0], "lr": 0.05, "momentum": 0.9},
            {"params": [1], "lr": 0.2, "momentum": 0.5},
        ]),
        case("SGD, momentum, null gradients", "SGD", SGD, momentum=0.9, dampening=0.5,
             no_gradient_at=(0, 3, 4)),
        case("Adam", "Adam", ADAM),
        case("Adam, amsgrad", "Adam", ADAM, amsgrad=True),
        case("Adam, weight decay", "Adam", ADAM, weightDecay=0.1),
        case("Adam, betas, eps", "Adam", ADAM, betas=[0.5, 0.9], eps=1e-4),
        case("Adam, null gradients", "Adam", ADAM, no_gradient_at=(0, 3, 4)),
        case("AdamW", "AdamW", ADAMW),
        case("AdamW, amsgrad, weight decay", "AdamW", ADAMW, amsgrad=True, weightDecay=0.1),
        case("RMSprop", "RMSprop", RMSPROP),
        case("RMSprop, centered", "RMSprop", RMSPROP, centered=True),
        case("RMSprop, momentum", "RMSprop", RMSPROP, momentum=0.9),
        case("RMSprop, centered, momentum, weight decay", "RMSprop", RMSPROP,
             centered=True, momentum=0.9, weightDecay=0.1),
    ])


# --- training-trace.json -----------------------------------------------------------------------


def state_dict(model):
    linear = {f"{name}.weight" for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    return {key: (value.T if key in linear else value).clone()
            for key, value in model.state_dict().items()}


def trace(name, model, lr=0.1):
    for p in model.parameters():  # gamma other than 1, beta other than 0; rounded
        p.data = short(p.data + (torch.randn(p.shape) / 4 if p.dim() == 1 else 0))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    initial, steps = state_dict(model), []
    for _ in range(8):
        x, labels = randn(5, 12), torch.randint(4, (5,))
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        steps.append({"x": x, "labels": labels, "loss": loss.item()})
    return {"name": name, "lr": lr, "initial": initial, "steps": steps,
            "final": state_dict(model)}


def make_training_trace():
    torch.manual_seed(4)

    def norm(features):
        return nn.BatchNorm1d(features, eps=1e-3, momentum=0.01)

    write("training-trace.json", cases=[
        trace("plain", nn.Sequential(
            nn.Linear(12, 8), nn.LeakyReLU(0.3),
            nn.Linear(8, 6), nn.LeakyReLU(0.3),
            nn.Linear(6, 4))),
        trace("bn", nn.Sequential(
            norm(12), nn.Linear(12, 8), nn.ReLU(),
            norm(8), nn.Linear(8, 6), nn.ReLU(),
            norm(6), nn.Linear(6, 4))),
    ])


# --- activations.json --------------------------------------------------------------------------


def op_case(op, forward, *inputs, **options):
    inputs = [leaf(x) for x in inputs]
    y = forward(*inputs)
    g = randn(*y.shape)
    y.backward(g)
    case = {"op": op, "options": options, "x": inputs[0]}
    if len(inputs) == 2:
        case["b"] = inputs[1]
    case.update(y=y, g=g, dx=inputs[0].grad)
    if len(inputs) == 2:
        case["db"] = inputs[1].grad
    return case


def make_activations():
    torch.manual_seed(5)
    x = 2 * randn(4, 5)
    kinked = x.clone()
    kinked[0, 0] = 0.0  # at the kink, PyTorch uses the slope for x < 0
    saturated = x.clone()
    saturated[0, :2] = torch.tensor([40.0, -800.0])
    far = x.clone()
    far[0], far[1] = far[0] + 500, far[1] - 500
    assert all(len(row.unique()) == 5 for row in x), "max needs rows without ties"
    write("activations.json", cases=[
        op_case("relu", F.relu, kinked),
        op_case("leakyRelu", lambda x: F.leaky_relu(x, 0.3), kinked, slope=0.3),
        op_case("sigmoid", torch.sigmoid, saturated),
        op_case("tanh", torch.tanh, saturated),
        op_case("softmax", lambda x: x.softmax(1), far, axis=1),
        op_case("logSoftmax", lambda x: x.log_softmax(1), far, axis=1),
        op_case("max", lambda x: x.max(1).values, x, axis=1),
        op_case("variance", lambda x: x.var(0, unbiased=True), x, axis=0, unbiased=True),
        op_case("variance", lambda x: x.var(0, unbiased=False), x, axis=0, unbiased=False),
        op_case("matmul", torch.matmul, randn(4, 5), randn(5, 3)),
    ])


# --- clip-grad-norm.json, schedules.json -------------------------------------------------------


def clip_case(name, max_norm):
    gradients = [randn(3, 2), randn(2), randn(1)]
    parameters = [torch.zeros_like(gradient) for gradient in gradients]
    for p, gradient in zip(parameters, gradients):
        p.grad = gradient.clone()
    norm = nn.utils.clip_grad_norm_(parameters, max_norm)
    return {"name": name, "maxNorm": max_norm, "gradients": gradients,
            "norm": norm.item(), "clipped": [p.grad for p in parameters]}


def make_clip_grad_norm():
    torch.manual_seed(6)
    write("clip-grad-norm.json", cases=[
        clip_case("below the maximum", 100.0),
        clip_case("above the maximum", 0.5),
    ])


def schedule_case(schedule, lr=0.1, **options):
    """`lrs[t]` is the learning rate that step t uses."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    renamed = {"T_max" if key == "t_max" else key: v for key, v in snake(options).items()}
    scheduler = getattr(torch.optim.lr_scheduler, schedule)(optimizer, **renamed)
    lrs = []
    for _ in range(12):
        lrs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return {"schedule": schedule, "lr": lr, "options": options, "lrs": lrs}


def make_schedules():
    write("schedules.json", cases=[
        schedule_case("StepLR", stepSize=3, gamma=0.5),
        schedule_case("StepLR", stepSize=1, gamma=0.9),
        schedule_case("CosineAnnealingLR", tMax=11, etaMin=0.0),
        schedule_case("CosineAnnealingLR", tMax=11, etaMin=0.01),
        schedule_case("CosineAnnealingLR", tMax=8, etaMin=0.001),  # PyTorch rises again after 8
        schedule_case("LinearLR", startFactor=0.1, totalIters=5),
        schedule_case("LinearLR", startFactor=0.25, totalIters=8),
    ])


if __name__ == "__main__":
    make_batchnorm()
    make_layernorm()
    make_cross_entropy()
    make_bce()
    make_huber()
    make_optimizers()
    make_training_trace()
    make_activations()
    make_clip_grad_norm()
    make_schedules()
