"""11. Take a network that others trained, change its last layer, save what you trained

VGG16 learnt to tell a thousand kinds of things apart on ImageNet. Its features serve other tasks, too: only a new last
layer is trained here. Then: how to save a network, how to load it, and which files not to load. The weights (553 MB)
are fetched once, into models/hub; without a network the lesson goes on with random ones.

    python lessons/11_vgg16_save_load.py
    tensorboard --logdir logs/11_vgg16_save_load
"""

# %% Weights are fetched once, checked, and loaded as weights only
import argparse
import pickle

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torch.utils.tensorboard import SummaryWriter
from torchvision.models import VGG16_Weights, vgg16
from tqdm import tqdm

from shared import download, positive
from shared.datasets import cifar10
from shared.networks import CIFAR10Network
from shared.paths import MODELS, models_folder, new_run, tensorboard_command

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=positive, default=20)
parser.add_argument("--limit", type=positive, default=1000, help="training pictures used")
args = parser.parse_args()

torch.hub.set_dir(MODELS / "hub")    # where torchvision looks for weights; by default a hidden folder of your home
weights = VGG16_Weights.DEFAULT      # the newest there are
vgg, start = vgg16(), "random weights"
if download.fetch_if_possible(download.VGG16, MODELS / "hub" / "checkpoints"):
    # vgg16(weights=weights) is shorter, but leaves out weights_only=True: see the last cells
    vgg.load_state_dict(weights.get_state_dict(check_hash=True, weights_only=True))
    start = "ImageNet weights"
print(vgg)
# -> VGG(... (0): Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1)) ...
#    ... (0): Linear(in_features=25088, ...) ... (6): Linear(in_features=4096, out_features=1000, bias=True) ... )

# %% Ten classes instead of a thousand: add a layer behind the last one, or replace it
changed = nn.Sequential(*vgg.classifier)
changed.add_module("add_linear", nn.Linear(1000, 10))    # a thousand scores become ten

vgg.requires_grad_(False)                         # freeze what is there
head = vgg.classifier[6] = nn.Linear(4096, 10)    # ten scores at once; new, and so not frozen: the way taken below

# %% What is frozen needs to be computed only once
body = nn.Sequential(vgg.features, vgg.avgpool, nn.Flatten(), *vgg.classifier[:6]).eval()    # eval: no Dropout
prepare = weights.transforms(crop_size=64, resize_size=64)    # ImageNet's mean and deviation; for 224 pixels get a GPU
data = {"train": cifar10(train=True, transform=prepare), "test": cifar10(train=False, transform=prepare)}
features, targets = {}, {}
for (split, pictures), limit in zip(data.items(), (args.limit, 500), strict=True):
    batches = tqdm(DataLoader(Subset(pictures, range(len(pictures))[:limit]), batch_size=50), split, disable=None)
    with torch.inference_mode():
        pairs = [(body(x), y) for x, y in batches]    # (50, 3, 64, 64) -> (50, 4096)
    features[split], targets[split] = (torch.cat(tensors) for tensors in zip(*pairs, strict=True))

# %% Train the new layer on the features: seconds, not hours
optimizer = torch.optim.Adam(head.parameters(), lr=0.001)
run = new_run(__file__, drawn=data["test"].drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", f"**Scalars**: the new last layer, on features of VGG16 with {start}.")
    for epoch in range(args.epochs):
        for batch in torch.randperm(len(targets["train"])).split(50):
            loss = nn.functional.cross_entropy(head(features["train"][batch]), targets["train"][batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        accuracy = (head(features["test"]).argmax(dim=1) == targets["test"]).float().mean().item()
        writer.add_scalar("test accuracy", accuracy, epoch)
print(f"test accuracy {accuracy:.3f} ({data['test'].source}; {start})")
# -> test accuracy 0... (...; ... weights)

# %% Save the state_dict, names and numbers; to load it, build the same network first
folder = models_folder(run)
torch.save(head.state_dict(), folder / "head.pt")    # of VGG16's 537 MB these few are ours
network = CIFAR10Network()
torch.save(network.state_dict(), folder / "state_dict.pt")
state = torch.load(folder / "state_dict.pt", map_location="cpu", weights_only=True)    # cpu: wherever it was saved
print(CIFAR10Network().load_state_dict(state), list(state)[:2])
# -> <All keys matched successfully> ['layers.0.weight', 'layers.0.bias']
try:
    vgg16(init_weights=False).classifier.load_state_dict(changed.state_dict())    # VGG16 as it was, without add_linear
except RuntimeError as error:
    print(str(error).splitlines()[1].strip())
# -> Unexpected key(s) in state_dict: "add_linear.weight", "add_linear.bias".

# %% A whole network is saved as a pickle, and loading a pickle can run code
class Surprise:
    def __reduce__(self):    # how to build the object again: any function, with any arguments
        return print, ("a file just ran code of its own",)


torch.save(network, folder / "module.pt")
torch.save(Surprise(), folder / "surprise.pt")
for file in ("module.pt", "surprise.pt"):
    try:
        torch.load(folder / file)    # weights_only=True, the default since PyTorch 2.6
    except pickle.UnpicklingError:
        print(file, "refused")
    print(type(torch.load(folder / file, weights_only=False)))    # only ever for files that you made yourself
# -> module.pt refused
#    <class 'shared.networks.CIFAR10Network'>
#    surprise.pt refused
#    a file just ran code of its own
#    <class 'NoneType'>
# Or name the classes that may be built. They are imported for it, and so must live in a file that runs nothing.
with torch.serialization.safe_globals([CIFAR10Network, nn.Sequential, nn.Conv2d, nn.MaxPool2d, nn.Flatten, nn.Linear]):
    print(type(torch.load(folder / "module.pt")).__name__)
# -> CIFAR10Network
print({file.name: f"{file.stat().st_size // 1000} kB" for file in sorted(folder.glob("*.pt"))})
# -> {'head.pt': '16... kB', 'module.pt': '58... kB', 'state_dict.pt': '58... kB', 'surprise.pt': '1 kB'}
print(tensorboard_command(run))

# Try next:
# - `prepare = weights.transforms()`: 224 pixels, about ten times slower. How much better?
# - torchvision.models.resnet18 has `fc` where VGG16 has `classifier[6]`: put it in its place.
