"""Builds a PyTorch network from the driver's description."""
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
    """Dense weights are [in, out] in the driver and [out, in] in PyTorch. Other names and shapes are equal."""
    own = {name: value.t() if value.dim() == 2 else value for name, value in state.items()}
    _missing, unexpected = model.load_state_dict(own, strict=False)  # the driver does not send the count of batches
    if unexpected:
        raise ValueError(f'state: unexpected names {unexpected}')


def state_of(model, layers, names, rows, steps):
    """
    The state in the driver's layout, after steps that started with a running variance of 1. PyTorch averages
    m/(m-1)·σ², and the driver's networks may average σ². Both averages are (1-α)^steps plus a sum that is linear in
    σ², so one is converted into the other.
    """
    state = {name: value.t() if value.dim() == 2 else value for name, value in model.state_dict().items()}
    for layer in layers:
        if layer['type'] == 'batchNorm' and layer['runningVariance'] == 'biased':
            name, kept = f'{layer["key"]}.running_var', (1 - layer['momentum']) ** steps
            state[name] = (state[name] - kept) * (rows - 1) / rows + kept
    return {name: state[name] for name in names}
