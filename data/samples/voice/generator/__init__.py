"""Makes the Moth & Biscuit sample; run make.py beside this folder."""
