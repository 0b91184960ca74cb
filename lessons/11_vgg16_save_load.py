"""11. Take a network that others trained, change its last layer, save what you trained

VGG16 tells a thousand kinds of things apart. What it sees serves other tasks, too, with a new last layer. Its weights
(553 MB) are fetched once, into models/hub. Then: how to save and load, and what not to load.

    python lessons/11_vgg16_save_load.py
    tensorboard --logdir logs/11_vgg16_save_load
"""

# %% Weights are fetched once, checked, and loaded as weights only
import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torch.utils.tensorboard import SummaryWriter
from torchvision.models import VGG16_Weights, vgg16
from tqdm import tqdm

from shared import download, positive
from shared.datasets import cifar10, enlarge
from shared.networks import CIFAR10Network
from shared.paths import MODELS, models_folder, new_run, tensorboard_command

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=positive, default=20)
parser.add_argument("--limit", type=positive, default=1000, help="training pictures used")
args = parser.parse_args()

torch.hub.set_dir(MODELS / "hub")    # where torchvision looks for weights; by default a hidden folder of your home
weights = VGG16_Weights.DEFAULT      # the newest there are
networks = {"random weights": vgg16()}    # vgg16(weights=weights) loads without weights_only=True: see the last cells
if download.fetch_if_possible(download.VGG16, MODELS / "hub" / "checkpoints"):
    networks["ImageNet weights"] = vgg16()
    networks["ImageNet weights"].load_state_dict(weights.get_state_dict(check_hash=True, weights_only=True))
print(networks["random weights"])
# -> VGG(... (0): Conv2d(3, 64, kernel_size=(3, 3), ... (6): Linear(in_features=4096, out_features=1000, bias=True) ...

# %% Ten classes instead of a thousand: add a layer behind the last one, or replace it
changed = nn.Sequential(*networks["random weights"].classifier)
changed.add_module("add_linear", nn.Linear(1000, 10))    # a thousand scores become ten

# %% What is frozen needs to be computed only once; then training takes seconds, not hours
prepare = weights.transforms(crop_size=64, resize_size=64)    # with ImageNet's mean and standard deviation
train_data, test_data = cifar10(train=True, transform=prepare), cifar10(train=False, transform=prepare)
run = new_run(__file__, drawn=test_data.drawn)


def features(vgg, data, limit):
    body = nn.Sequential(vgg.features, vgg.avgpool, nn.Flatten(), *vgg.classifier[:6]).eval()    # eval: no Dropout
    batches = DataLoader(Subset(data, range(len(data))[:limit]), batch_size=50)
    with torch.no_grad():    # and not inference_mode, because these features take part in training
        x = torch.cat([body(pictures) for pictures, _ in tqdm(batches, "features", disable=None, leave=False)])
    return x, torch.tensor(data.targets[:limit])    # (limit, 4096), (limit,)


with SummaryWriter(run) as writer:
    writer.add_text("0 look at", "Set Smoothing to 0. What is ImageNet worth? What does the first layer see?")
    writer.add_image("11 features/1 picture", test_data.data[0].repeat(8, 0).repeat(8, 1), dataformats="HWC")
    for number, (start, vgg) in enumerate(networks.items(), start=2):
        vgg.requires_grad_(False)                         # freeze what is there
        head = vgg.classifier[6] = nn.Linear(4096, 10)    # ten scores at once; new, and so not frozen
        first = vgg.features[:2](test_data[0][0])[:32]    # (3, 64, 64) -> (64, 64, 64) -> half of them
        writer.add_images(f"11 features/{number} {start}", enlarge((first[:, None] / first.max()).sqrt(), 2))
        train_x, train_y = features(vgg, train_data, args.limit)
        test_x, test_y = features(vgg, test_data, 500)    # enough to see a difference of a few points
        optimizer = torch.optim.Adam(head.parameters(), lr=0.001)
        for epoch in range(args.epochs):
            for batch in torch.randperm(len(train_y)).split(50):
                optimizer.zero_grad()
                nn.functional.cross_entropy(head(train_x[batch]), train_y[batch]).backward()
                optimizer.step()
            accuracy = (head(test_x).argmax(dim=1) == test_y).float().mean().item()
            writer.add_scalars("11 accuracy/500 test pictures", {start: accuracy}, epoch)
        print(f"test accuracy {accuracy:.3f} with {start} ({len(test_y)} pictures: {test_data.source})")
# -> test accuracy 0... with random weights (500 pictures: ...)

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


for file, thing in {"module.pt": network, "surprise.pt": Surprise()}.items():
    torch.save(thing, folder / file)
    try:
        torch.load(folder / file)    # weights_only=True, the default since PyTorch 2.6
    except Exception as error:
        print(file, "refused:", type(error).__name__)
    print(type(torch.load(folder / file, weights_only=False)))    # only ever for files that you made yourself
# -> module.pt refused: UnpicklingError
#    <class 'shared.networks.CIFAR10Network'>
#    surprise.pt refused: UnpicklingError
#    a file just ran code of its own
#    <class 'NoneType'>
# Or name the classes that may be built. They are imported for it, and so must live in a file that runs nothing.
with torch.serialization.safe_globals([CIFAR10Network, nn.Sequential, nn.Conv2d, nn.MaxPool2d, nn.Flatten, nn.Linear]):
    print(type(torch.load(folder / "module.pt")))
# -> <class 'shared.networks.CIFAR10Network'>
print({file.name: f"{file.stat().st_size // 1000} kB" for file in sorted(folder.glob("*.pt"))})
# -> {'head.pt': '16... kB', 'module.pt': '58... kB', 'state_dict.pt': '58... kB', 'surprise.pt': '1 kB'}
print("See it with:", tensorboard_command(run))

# Try next:
# - `prepare = weights.transforms()`: 224 pixels, about ten times slower. How much better?
# - nn.Sequential(nn.Linear(4096, 64), nn.ReLU(), nn.Linear(64, 10)) as the new layer: are two better than one?
