"""04. Transforms turn pictures into tensors, and into other pictures

A transform is an object that you make once, with its settings, and then call like a function. torchvision has two
generations of them: `transforms`, which most tutorials show, and `transforms.v2`, which is the one to use today. Here
they stand side by side, and give the same.

    python lessons/04_transforms.py
    tensorboard --logdir logs/04_transforms
"""

# %% ToTensor makes channels x height x width of a picture, and 0...1 of 0...255
import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms
from torchvision.transforms import v2

from shared.datasets import AntsBees, ants_and_bees
from shared.paths import new_run, tensorboard_command

folder, drawn = ants_and_bees()
ants = AntsBees(folder / "train", "ants")
picture = ants[0][0]

to_tensor = transforms.ToTensor()
tensor = to_tensor(picture)    # PIL (width 768, height 512) -> (3, 512, 768)
print(type(tensor), tensor.shape, tensor.dtype)
# -> <class 'torch.Tensor'> torch.Size([3, 512, 768]) torch.float32

by_hand = torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255
print(torch.equal(tensor, by_hand))
# -> True

# In v2 these are two steps. `allclose`, because it multiplies by 1/255 and so rounds the last bit differently.
to_tensor_v2 = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
print(torch.allclose(tensor, to_tensor_v2(picture)))
# -> True

# Only whole numbers of 8 bits (uint8) are divided by 255; an array of floats is taken as it is.
print(to_tensor(np.full((2, 2, 1), 255.0)).max().item(), to_tensor(np.full((2, 2, 1), 255, np.uint8)).max().item())
# -> 255.0 1.0

# %% OpenCV reads blue, green, red
import cv2

# cv2.imread(path) says nothing of a bad path (it gives None; on Windows often for one that is not ASCII), nor of a JPEG
# that is cut short (it gives what there is). Read the bytes, then decode them:
bgr = cv2.imdecode(np.fromfile(ants.paths[0], np.uint8), cv2.IMREAD_COLOR)
rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
print(type(bgr), bgr.shape, np.array_equal(bgr[:, :, ::-1], rgb))
# -> <class 'numpy.ndarray'> (512, 768, 3) True
print("mean difference to PIL below 0.01:", (to_tensor(rgb) - tensor).abs().mean().item() < 0.01)
# -> mean difference to PIL below 0.01: True

# %% The transforms of v1 are in v2, too, and give the same
# The arguments are sizes (height, width), or one number: a square for a crop, the shorter side for Resize.
pairs = {
    "CenterCrop(100)": (transforms.CenterCrop(100), v2.CenterCrop(100)),
    "CenterCrop((100, 150))": (transforms.CenterCrop((100, 150)), v2.CenterCrop((100, 150))),
    "RandomCrop((200, 300))": (transforms.RandomCrop((200, 300)), v2.RandomCrop((200, 300))),
    "Resize((256, 300))": (transforms.Resize((256, 300)), v2.Resize((256, 300))),
    "Resize(30)": (transforms.Resize(30), v2.Resize(30)),
    "RandomHorizontalFlip(1)": (transforms.RandomHorizontalFlip(1), v2.RandomHorizontalFlip(1)),
}
results = {"picture": tensor, "OpenCV, as it is read": to_tensor(bgr), "OpenCV, put right": to_tensor(rgb)}
for name, (old, new) in pairs.items():
    torch.manual_seed(4)    # both generations draw their random numbers from torch
    results[name] = old(tensor)
    torch.manual_seed(4)
    print(f"{name:23}", tuple(results[name].shape), torch.equal(results[name], new(tensor)))
# -> CenterCrop(100)         (3, 100, 100) True
#    CenterCrop((100, 150))  (3, 100, 150) True
#    RandomCrop((200, 300))  (3, 200, 300) True
#    Resize((256, 300))      (3, 256, 300) True
#    Resize(30)              (3, 30, 45) True
#    RandomHorizontalFlip(1) (3, 512, 768) True

# %% Normalize subtracts a mean and divides by a standard deviation, channel by channel
normalize = transforms.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])
ramp = torch.linspace(0, 1, 5).expand(3, 1, 5)
print(normalize(ramp)[0])    # 0...1 becomes -1...1
# -> tensor([[-1.0000, -0.5000,  0.0000,  0.5000,  1.0000]])
print(torch.equal(normalize(tensor), v2.Normalize([0.5] * 3, [0.5] * 3)(tensor)))
# -> True

try:
    normalize(tensor.permute(1, 2, 0))    # height x width x channels is the wrong order
except RuntimeError as error:
    print(error)
# -> The size of tensor a (512) must match the size of tensor b (3) at non-singleton dimension 0
results["Normalize, back in 0...1"] = normalize(tensor) * 0.5 + 0.5

# %% ToPILImage is the way back, and nothing is lost
to_picture = transforms.ToPILImage()    # the number of channels decides: 1 is grey (L), 3 is RGB, 4 is RGBA
print(np.array_equal(to_picture(tensor), picture), to_picture(tensor).mode, to_picture(tensor[:1]).mode)
# -> True RGB L
print(to_picture(tensor) == v2.ToPILImage()(tensor))
# -> True

# %% Compose chains transforms, in the order in which they stand
center = transforms.Compose([transforms.CenterCrop(100), transforms.ToTensor()])
center_v2 = v2.Compose([v2.CenterCrop(100), to_tensor_v2])
print(torch.equal(center(picture), results["CenterCrop(100)"]), torch.allclose(center(picture), center_v2(picture)))
# -> True True

# %% TensorBoard shows each result
run = new_run(__file__, drawn=drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", "One ant, and what each transform makes of it. Whose colours are wrong, and why?")
    for number, (name, result) in enumerate(results.items(), start=1):
        writer.add_image(f"4 transforms/{number:02} {name}", result)
print("See it with:", tensorboard_command(run))

# Try next:
# - `transforms.Resize(30, antialias=False)`: why does the small ant look so rough?
# - `v2.ColorJitter(brightness=0.5)` and `v2.RandomRotation(30)` as further results.
# - `results["Normalized"] = normalize(tensor)`: what does TensorBoard do with values below 0?
