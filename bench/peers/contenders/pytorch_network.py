"""A network of PyTorch's, from the driver's description of it."""
from torch import nn

MAKERS = {
    'dense': lambda layer: nn.Linear(layer['inputs'], layer['outputs'], bias=layer['bias']),
    'leakyRelu': lambda layer: nn.LeakyReLU(layer['slope']),
    'relu': lambda _layer: nn.ReLU(),
    'batchNorm': lambda layer: nn.BatchNorm1d(layer['features'], eps=layer['eps'], momentum=layer['momentum']),
}


def network_of(layers):
    return nn.Sequential(*(MAKERS[layer['type']](layer) for layer in layers))


def load_state(model, state):
    """The driver's dense weights are [in, out], PyTorch's [out, in]; all else has the same names and shapes."""
    own = {name: value.t() if value.dim() == 2 else value for name, value in state.items()}
    _missing, unexpected = model.load_state_dict(own, strict=False)  # the count of batches is not sent
    if unexpected:
        raise ValueError(f'the state does not fit: unexpected {unexpected}')


def state_of(model, layers, names, rows, steps):
    """
    The state after some steps that began at a running variance of 1, in the driver's layout. PyTorch averages
    m/(m-1)·σ², the driver's networks may average σ²; each average is (1-α)^steps plus a sum that is linear in σ².
    """
    state = {name: value.t() if value.dim() == 2 else value for name, value in model.state_dict().items()}
    for layer in layers:
        if layer['type'] == 'batchNorm' and layer['runningVariance'] == 'biased':
            name, kept = f'{layer["key"]}.running_var', (1 - layer['momentum']) ** steps
            state[name] = (state[name] - kept) * (rows - 1) / rows + kept
    return {name: state[name] for name in names}
