"""What the Dockerfile says, stage by stage: for its checks, and for the rehearsal that carries out the same steps."""

import io
import json
from dataclasses import dataclass
from pathlib import Path

from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One instruction and what it is given, on one line."""

    instruction: str
    value: str

    @property
    def words(self) -> list[str]:
        """The value by its spaces; of `COPY`, sources and target are the last ones."""
        return self.value.split()

    @property
    def listed(self) -> list[str]:
        """The value of an instruction in its JSON form; raises ValueError for any other."""
        said = json.loads(self.value[self.value.index("[") :])
        if not isinstance(said, list) or not all(isinstance(word, str) for word in said):
            raise ValueError(f"{self.instruction}: not a list of words: {self.value}")
        return said


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """From one `FROM` to the next."""

    image: str
    name: str
    steps: tuple[Step, ...]

    def last(self, instruction: str) -> Step | None:
        """The step that counts where an instruction may be given again."""
        found = [step for step in self.steps if step.instruction == instruction]
        return found[-1] if found else None


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile in their order; raises ValueError where it begins with no image."""
    parser = DockerfileParser(cache_content=True, fileobj=io.BytesIO(text.encode()))
    found: list[tuple[str, str, list[Step]]] = []
    for said in parser.structure:
        if said["instruction"] == "COMMENT":
            continue
        if said["instruction"] == "FROM":
            image, _, name = said["value"].replace(" as ", " AS ").partition(" AS ")
            found.append((image.strip(), name.strip(), []))
        elif found:
            found[-1][2].append(Step(instruction=said["instruction"], value=" ".join(said["value"].split())))
        elif said["instruction"] != "ARG":
            raise ValueError(f"{said['instruction']} before the first FROM")
    if not found:
        raise ValueError("no FROM")
    return [Stage(image=image, name=name, steps=tuple(steps)) for image, name, steps in found]


def environment(step: Step) -> dict[str, str]:
    """What one `ENV` sets."""
    pairs = (word.split("=", 1) for word in step.words)
    return {name: value.strip('"') for name, value in pairs}
