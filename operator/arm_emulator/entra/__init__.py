"""A local Entra: who a caller is. One tenant, its principals and their credentials, the tokens that it gives out."""
