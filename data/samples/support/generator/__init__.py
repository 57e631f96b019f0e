"""Makes the Lindermoor sample; run make.py beside this folder."""
