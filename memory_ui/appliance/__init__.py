"""What keeps a node on its machine: releases side by side, updates that can go back, and the look that decides."""
